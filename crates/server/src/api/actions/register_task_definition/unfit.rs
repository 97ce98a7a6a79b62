//! Members of a container that make no sense, and the few readings that all of them share.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use longshore_model::ContainerName;

use crate::api::exception::Exception;

/// Why a member of a container is refused.
#[derive(Debug)]
pub(super) struct Unfit {
    member: &'static str,
    rule: Cow<'static, str>,
}

impl Unfit {
    /// The member says nothing that could be meant.
    pub(super) fn of(member: &'static str) -> Self {
        Self::because(member, "")
    }

    /// The member breaks a rule, which is a sentence.
    pub(super) fn because(member: &'static str, rule: impl Into<Cow<'static, str>>) -> Self {
        Self { member, rule: rule.into() }
    }

    /// The refusal, as ECS words it.
    pub(super) fn in_container(self, container: &ContainerName) -> Exception {
        let Self { member, rule } = self;
        let blank = if rule.is_empty() { "" } else { " " };
        Exception::client(format!(
            "Invalid '{member}' setting for container '{container}'.{blank}{rule}"
        ))
    }
}

/// A number that is not negative.
pub(super) fn amount(number: Option<i32>, member: &'static str) -> Result<Option<u32>, Unfit> {
    number.map(|it| u32::try_from(it).map_err(|_| Unfit::of(member))).transpose()
}

/// A number of a range.
pub(super) fn within(
    number: Option<i32>,
    range: RangeInclusive<u32>,
    member: &'static str,
) -> Result<Option<u32>, Unfit> {
    let refusal =
        || Unfit::because(member, format!("It must be {} to {}.", range.start(), range.end()));
    let read = |it: i32| u32::try_from(it).ok().filter(|it| range.contains(it));
    number.map(|it| read(it).ok_or_else(refusal)).transpose()
}

/// A text that must be there.
pub(super) fn required(text: Option<String>, member: &'static str) -> Result<String, Unfit> {
    text.filter(|it| !it.is_empty()).ok_or_else(|| Unfit::because(member, "It must be there."))
}

/// Each element of a list that may be absent.
pub(super) fn all<T, U>(
    list: Option<Vec<T>>,
    parse: impl FnMut(T) -> Result<U, Unfit>,
) -> Result<Option<Vec<U>>, Unfit> {
    list.map(|it| it.into_iter().map(parse).collect()).transpose()
}
