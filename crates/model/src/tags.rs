//! Tags: a caller's own labels on a resource.
//! Source: Amazon ECS API Reference, `TagResource` and `Tag`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::lost_after::{LOST_AFTER, LostAfter, LostAfterError};

/// The most tags of one resource; managed ones do not count.
pub const MAX_TAGS: usize = 50;

const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 256;

/// The namespace of managed tags, in any case.
const RESERVED: &str = "aws:";

/// The namespace of tags that mean something here, in any case.
const OWN: &str = "longshore:";

/// The managed tag of a task that names its cluster.
const CLUSTER_NAME: &str = "aws:ecs:clusterName";

/// A key and its value, which may be empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tag {
    key: Box<str>,
    value: Box<str>,
}

/// Why tags cannot be put on a resource.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// There is no key.
    #[error("Tag key can not be blank.")]
    NoKey,
    /// The key is too long.
    #[error("Tag key longer than {MAX_KEY}.")]
    LongKey,
    /// The value is too long.
    #[error("Tag value longer than {MAX_VALUE}.")]
    LongValue,
    /// A character that ECS does not take.
    #[error(
        "Tag '{0}' contains invalid characters. Letters, digits, spaces and _ . : / = + - @ are allowed."
    )]
    Characters(String),
    /// The key is in the namespace of managed tags.
    #[error("Tag keys that begin with '{RESERVED}' are reserved.")]
    Reserved,
    /// One key twice.
    #[error("Tag key '{0}' is given more than once.")]
    Repeated(Box<str>),
    /// More tags than a resource can have.
    #[error("Maximum number of tags is {MAX_TAGS}")]
    TooMany,
    /// In the namespace of tags that mean something, and means nothing.
    #[error(
        "Tag keys that begin with '{OWN}' are Longshore's own, and there is no '{0}'. There is {LOST_AFTER}."
    )]
    Unknown(Box<str>),
    /// It means something on other resources only.
    #[error(
        "Tag key '{0}' means nothing on a container instance. Put it on a cluster, or on the tasks \
         themselves (in RunTask, StartTask or TagResource, or in the task definition, from which \
         propagateTags takes it over)."
    )]
    Misplaced(&'static str),
    /// Its value makes no sense.
    #[error("Invalid tag value '{value}': {error}.")]
    Value {
        /// What was sent.
        value: Box<str>,
        /// What could have been.
        error: LostAfterError,
    },
}

impl Tag {
    /// A caller's tag.
    pub fn new(key: &str, value: &str) -> Result<Self, TagError> {
        check_key(key)?;
        if value.chars().count() > MAX_VALUE {
            return Err(TagError::LongValue);
        }
        if !key.chars().chain(value.chars()).all(is_allowed) {
            return Err(TagError::Characters(key.escape_debug().to_string()));
        }
        Ok(Self { key: key.into(), value: value.into() })
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value.
    pub fn value(&self) -> &str {
        &self.value
    }

    fn is_managed(&self) -> bool {
        is_reserved(&self.key)
    }
}

/// What can have tags, as far as it matters which of them mean something there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearer {
    /// A cluster, a task, or what tasks take theirs over from: a task definition.
    HasTasks,
    /// A container instance.
    ContainerInstance,
}

/// Checks that a key is one that a caller may put on a resource, or take off it.
pub fn check_key(key: &str) -> Result<(), TagError> {
    match key.chars().count() {
        0 => Err(TagError::NoKey),
        length if length > MAX_KEY => Err(TagError::LongKey),
        _ if is_reserved(key) => Err(TagError::Reserved),
        _ => Ok(()),
    }
}

fn is_reserved(key: &str) -> bool {
    key.get(..RESERVED.len()).is_some_and(|it| it.eq_ignore_ascii_case(RESERVED))
}

fn is_allowed(character: char) -> bool {
    character.is_alphanumeric()
        || character.is_whitespace() && !character.is_control()
        || "_.:/=+-@".contains(character)
}

/// The tags of a resource, in the order in which they came: each key once, at most [`MAX_TAGS`] of
/// a caller's. Tasks that are launched together share theirs, and a resource without tags spends a
/// pointer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(Option<Arc<Vec<Tag>>>);

impl Tags {
    /// The tags that a caller gives.
    pub fn new(tags: Vec<Tag>) -> Result<Self, TagError> {
        for (at, tag) in tags.iter().enumerate() {
            if tags[..at].iter().any(|it| it.key == tag.key) {
                return Err(TagError::Repeated(tag.key.clone()));
            }
        }
        Self::of(tags)
    }

    fn of(tags: Vec<Tag>) -> Result<Self, TagError> {
        match tags.iter().filter(|it| !it.is_managed()).count() {
            own if own > MAX_TAGS => Err(TagError::TooMany),
            _ if tags.is_empty() => Ok(Self::default()),
            _ => Ok(Self(Some(Arc::new(tags)))),
        }
    }

    /// The same, if those in Longshore's own namespace mean something on this resource. A typing
    /// error there would otherwise pass for a policy.
    pub fn meant_for(self, bearer: Bearer) -> Result<Self, TagError> {
        let is_own =
            |it: &&Tag| it.key.get(..OWN.len()).is_some_and(|it| it.eq_ignore_ascii_case(OWN));
        for tag in self.iter().filter(is_own) {
            match (&*tag.key, bearer) {
                (LOST_AFTER, Bearer::HasTasks) => {
                    let parsed = tag.value.parse::<LostAfter>();
                    parsed.map_err(|error| TagError::Value { value: tag.value.clone(), error })?;
                }
                (LOST_AFTER, Bearer::ContainerInstance) => {
                    return Err(TagError::Misplaced(LOST_AFTER));
                }
                _ => return Err(TagError::Unknown(tag.key.clone())),
            }
        }
        Ok(self)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Tag> {
        self.0.iter().flat_map(|it| it.iter())
    }

    /// These and others; where both have a key, it gets the other's value.
    pub fn with(&self, others: &Self) -> Result<Self, TagError> {
        match (self.is_empty(), others.is_empty()) {
            (_, true) => Ok(self.clone()),
            (true, _) => Ok(others.clone()),
            (false, false) => {
                let mut all: Vec<Tag> = self.iter().cloned().collect();
                for tag in others.iter() {
                    match all.iter_mut().find(|it| it.key == tag.key) {
                        Some(known) => *known = tag.clone(),
                        None => all.push(tag.clone()),
                    }
                }
                Self::of(all)
            }
        }
    }

    /// These and the managed one that names the cluster.
    pub fn with_cluster_name(&self, cluster: &str) -> Self {
        let managed = Tag { key: CLUSTER_NAME.into(), value: cluster.into() };
        let own = self.iter().filter(|it| *it.key != *CLUSTER_NAME).cloned();
        Self(Some(Arc::new(own.chain([managed]).collect())))
    }

    /// What is left without these keys; one that is not there changes nothing.
    pub fn without(&self, keys: &[String]) -> Self {
        let is_kept = |it: &&Tag| keys.iter().all(|key| **key != *it.key);
        let kept: Vec<Tag> = self.iter().filter(is_kept).cloned().collect();
        Self(Some(kept).filter(|it| !it.is_empty()).map(Arc::new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Result<Tags, TagError> {
        let tag = |it: &str| {
            let (key, value) = it.split_once('=').unwrap_or((it, ""));
            Tag::new(key, value)
        };
        Tags::new(text.split_whitespace().map(tag).collect::<Result<_, _>>()?)
    }

    #[track_caller]
    fn check(found: &Tags, expected: &str) {
        let pair = |it: &Tag| format!("{}={}", it.key(), it.value());
        assert_eq!(found.iter().map(pair).collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn a_tag_is_a_key_and_a_value_that_may_be_empty() {
        check(&tags("stack=prod é.:/+-@_=1 empty").unwrap(), "stack=prod é.:/+-@_=1 empty=");
        assert!(Tag::new("two words", "\u{a0}").is_ok());
        assert!(Tag::new(&"é".repeat(128), &"é".repeat(256)).is_ok());
        for (key, value, error) in [
            ("", "x", TagError::NoKey),
            (&*"é".repeat(129), "", TagError::LongKey),
            ("a", &*"é".repeat(257), TagError::LongValue),
            ("a#", "", TagError::Characters("a#".into())),
            ("a\n", "", TagError::Characters(r"a\n".into())),
            ("a", "b!", TagError::Characters("a".into())),
            ("aws:x", "", TagError::Reserved),
            ("AwS:", "", TagError::Reserved),
        ] {
            assert_eq!(Tag::new(key, value), Err(error), "{key}");
        }
    }

    #[test]
    fn a_key_is_given_once_and_keys_differ_in_case() {
        assert_eq!(tags("a=1 b=2 a=3"), Err(TagError::Repeated("a".into())));
        check(&tags("a=1 A=2").unwrap(), "a=1 A=2");
    }

    #[test]
    fn a_resource_has_at_most_fifty() {
        let many = |from: usize, count: usize| {
            let keys: Vec<String> = (from..from + count).map(|it| format!("k{it}")).collect();
            tags(&keys.join(" "))
        };
        assert_eq!(many(0, 51), Err(TagError::TooMany));
        let fifty = many(0, 50).unwrap();
        assert_eq!(fifty.with(&many(50, 1).unwrap()), Err(TagError::TooMany));
        assert!(fifty.with(&many(20, 30).unwrap()).is_ok(), "these it has already");
        let managed = fifty.with_cluster_name("default");
        assert_eq!(managed.iter().count(), 51);
        assert!(managed.with(&many(0, 1).unwrap()).is_ok(), "a managed one does not count");
    }

    #[test]
    fn later_tags_replace_earlier_ones_where_they_stand() {
        let both = tags("a=1 b=2").unwrap().with(&tags("b=3 c=4").unwrap()).unwrap();
        check(&both, "a=1 b=3 c=4");
        check(&both.without(&["b".into(), "none".into()]), "a=1 c=4");
        let none = both.without(&["a".into(), "b".into(), "c".into()]);
        assert_eq!(none, Tags::default());
    }

    #[test]
    fn tags_of_ones_own_namespace_mean_something_or_are_refused() {
        let meant = |text: &str, bearer| tags(text).unwrap().meant_for(bearer).map(drop);
        let error = |text: &str, bearer| meant(text, bearer).unwrap_err().to_string();
        for text in
            ["a=1", "longshore=1", "longshore:lost-after=never", "a=1 longshore:lost-after=10m"]
        {
            assert_eq!(meant(text, Bearer::HasTasks), Ok(()), "{text}");
        }
        assert_eq!(meant("a=1 lost-after=x", Bearer::ContainerInstance), Ok(()));
        let misplaced = error("longshore:lost-after=10m", Bearer::ContainerInstance);
        assert!(misplaced.contains("means nothing on a container instance"), "{misplaced}");
        for key in ["longshore:lostafter", "Longshore:lost-after", "longshore:"] {
            let unknown = error(&format!("{key}=10m"), Bearer::HasTasks);
            assert!(unknown.contains(&format!("there is no '{key}'")), "{unknown}");
        }
        assert_eq!(
            error("longshore:lost-after=10", Bearer::HasTasks),
            "Invalid tag value '10': longshore:lost-after is `never`, or a time of at least 10 \
             seconds and at most 365 days: a number and one of s, m, h, d, such as 90s, 10m or 2h."
        );
    }

    #[test]
    fn a_resource_without_tags_spends_a_pointer() {
        assert_eq!(size_of::<Tags>(), size_of::<usize>());
    }
}
