//! ListTaskDefinitions and ListTaskDefinitionFamilies: reading what is durable.

use std::ops::Bound;
use std::sync::Arc;

use longshore_model::{DefinitionKey, DefinitionStatus, Family, TaskDefinition};
use longshore_store::State;

/// Which way a list of task definitions goes: by family, then by revision as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// From the first family and the oldest revision.
    Ascending,
    /// From the last family and the newest revision.
    Descending,
}

/// Which task definitions a ListTaskDefinitions request asks for.
#[derive(Clone, Debug)]
pub struct ListTaskDefinitions {
    /// Of this very family.
    pub family: Option<Family>,
    /// With this status.
    pub status: DefinitionStatus,
    /// In this order.
    pub sort: Sort,
}

/// The task definitions asked for, in the order asked for, after the one given, which need not be
/// there.
pub fn list<'a>(
    state: &'a State,
    request: &ListTaskDefinitions,
    after: Option<&DefinitionKey>,
) -> impl Iterator<Item = &'a Arc<TaskDefinition>> + use<'a> {
    let of_family = |revision| match &request.family {
        Some(family) => Bound::Included(DefinitionKey { family: family.clone(), revision }),
        None => Bound::Unbounded,
    };
    let (mut first, mut last) = (of_family(0), of_family(u32::MAX));
    let passed = after.cloned().map(Bound::Excluded);
    match request.sort {
        Sort::Ascending => first = passed.unwrap_or(first),
        Sort::Descending => last = passed.unwrap_or(last),
    }
    let mut range = state.definitions_in((first, last));
    let (sort, status) = (request.sort, request.status);
    let ordered = std::iter::from_fn(move || match sort {
        Sort::Ascending => range.next(),
        Sort::Descending => range.next_back(),
    });
    ordered.filter(move |it| it.status == status)
}

/// Which families a ListTaskDefinitionFamilies request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FamilyStatus {
    /// Those with an ACTIVE revision.
    Active,
    /// Those without any.
    Inactive,
    /// All of them.
    All,
}

/// The families that begin so and are asked for, by name, after the one given, which need not be
/// there.
pub fn families<'a>(
    state: &'a State,
    prefix: Option<&Family>,
    status: FamilyStatus,
    after: Option<&Family>,
) -> impl Iterator<Item = &'a Family> + use<'a> {
    let prefix = prefix.cloned();
    let first = match (after, &prefix) {
        (Some(family), _) => family_after(state, family),
        (None, Some(prefix)) => family_from(state, Bound::Included(key(prefix, 0))),
        (None, None) => family_from(state, Bound::Unbounded),
    };
    let begins_so = move |it: &&Family| {
        prefix.as_ref().is_none_or(|prefix| it.as_str().starts_with(prefix.as_str()))
    };
    std::iter::successors(first, |it| family_after(state, it)).take_while(begins_so).filter(
        move |it| match status {
            FamilyStatus::Active => is_active(state, it),
            FamilyStatus::Inactive => !is_active(state, it),
            FamilyStatus::All => true,
        },
    )
}

/// Whether tasks can be launched from a family without naming a revision.
fn is_active(state: &State, family: &Family) -> bool {
    state.revisions(family).rev().any(|it| it.status == DefinitionStatus::Active)
}

fn family_after<'a>(state: &'a State, family: &Family) -> Option<&'a Family> {
    family_from(state, Bound::Excluded(key(family, u32::MAX)))
}

fn family_from(state: &State, first: Bound<DefinitionKey>) -> Option<&Family> {
    state.definitions_in((first, Bound::Unbounded)).next().map(|it| &it.key.family)
}

fn key(family: &Family, revision: u32) -> DefinitionKey {
    DefinitionKey { family: family.clone(), revision }
}
