//! What a file of roles' credentials says, and what may be wrong with it.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use longshore_model::{Timestamp, arn};
use longshore_wire::Secret;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// The members of a role.
const MEMBERS: [&str; 4] = ["accessKeyId", "secretAccessKey", "sessionToken", "expiration"];

/// Each role's keys, by its ARN.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyRing(BTreeMap<String, Arc<RoleKeys>>);

/// The keys of one role.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RoleKeys {
    pub(super) access_key_id: Secret,
    pub(super) secret_access_key: Secret,
    /// Empty where there is none.
    pub(super) session_token: Secret,
    pub(super) expires_at: Option<Timestamp>,
}

/// What is wrong with a file's content. Names roles and members, never a value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// The text cannot be read.
    #[error("it is no JSON at line {line}, column {column}")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// It is read, but it is something else.
    #[error(
        "it is to be an object of role ARNs, each with an object of that role's credentials, and is not at line {line}, column {column}"
    )]
    NotObjects {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// A key is something else.
    #[error("'{0}' is not the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME")]
    NotARole(String),
    /// It would not be known which of them counts.
    #[error("the role {0} is there twice")]
    Twice(String),
    /// A member has another name, or is there twice.
    #[error(
        "the role {role} has a member '{member}' that is not known or there twice: it may have accessKeyId, secretAccessKey, sessionToken and expiration"
    )]
    Member {
        /// Whose it is.
        role: String,
        /// Its name.
        member: String,
    },
    /// A member that must be there is not.
    #[error("the role {role} has no {member}")]
    Missing {
        /// Whose it is.
        role: String,
        /// Its name.
        member: &'static str,
    },
    /// A member could not be sent in a request's headers.
    #[error("the role {role} has a {member} that is no text of visible ASCII characters")]
    Illegible {
        /// Whose it is.
        role: String,
        /// Its name.
        member: &'static str,
    },
    /// A time cannot be read.
    #[error("the role {0} has an expiration that is no time such as 2026-11-24T18:00:00Z")]
    NoTime(String),
}

impl KeyRing {
    pub(super) fn parse(content: &[u8]) -> Result<Self, RingError> {
        let roles: Members<Members<Value>> = serde_json::from_slice(content).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            if error.is_data() {
                RingError::NotObjects { line, column }
            } else {
                RingError::NotJson { line, column }
            }
        })?;
        let mut ring = BTreeMap::new();
        for (role, members) in roles.0 {
            if !arn::is_role(&role) {
                return Err(RingError::NotARole(role));
            }
            let keys = RoleKeys::read(&role, members.0)?;
            if ring.insert(role.clone(), Arc::new(keys)).is_some() {
                return Err(RingError::Twice(role));
            }
        }
        Ok(Self(ring))
    }

    pub(super) fn of(&self, role: &str) -> Option<Arc<RoleKeys>> {
        self.0.get(role).map(Arc::clone)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The roles whose keys have come to their end.
    pub(super) fn expired(&self, now: Timestamp) -> impl Iterator<Item = &str> {
        let expired = self.0.iter().filter(move |(_, keys)| keys.has_expired(now));
        expired.map(|(role, _)| role.as_str())
    }

    /// The roles of which this has keys and the other has none.
    pub(super) fn without<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a str> {
        self.0.keys().map(String::as_str).filter(|it| !other.0.contains_key(*it))
    }
}

impl RoleKeys {
    fn read(role: &str, members: Vec<(String, Value)>) -> Result<Self, RingError> {
        let mut found: BTreeMap<String, Value> = BTreeMap::new();
        for (member, value) in members {
            let is_known = MEMBERS.contains(&member.as_str());
            if !is_known || found.insert(member.clone(), value).is_some() {
                return Err(RingError::Member { role: role.into(), member });
            }
        }
        let mut text = |member: &'static str| match found.remove(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.bytes().all(|it| it.is_ascii_graphic()) => {
                Ok(Some(Secret(text)).filter(|it| !it.0.is_empty()))
            }
            Some(_) => Err(RingError::Illegible { role: role.into(), member }),
        };
        let missing = |member| RingError::Missing { role: role.into(), member };
        let [access_key_id, secret_access_key, session_token, expiration] = MEMBERS;
        Ok(Self {
            access_key_id: text(access_key_id)?.ok_or_else(|| missing(access_key_id))?,
            secret_access_key: text(secret_access_key)?
                .ok_or_else(|| missing(secret_access_key))?,
            session_token: text(session_token)?.unwrap_or_default(),
            expires_at: match text(expiration)? {
                None => None,
                Some(text) => {
                    let at: Result<jiff::Timestamp, _> = text.0.parse();
                    let at = at.map_err(|_| RingError::NoTime(role.into()))?;
                    Some(Timestamp::from_millis(at.as_millisecond()))
                }
            },
        })
    }

    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|it| it <= now)
    }
}

/// An object's members as they are written, with those that are there twice.
struct Members<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Read<T> {
            type Value = Members<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<T>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Read(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::111122223333:role/team/app";

    #[track_caller]
    fn refused(content: &str, expected: &str) {
        let error = KeyRing::parse(content.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), expected.replace("ROLE", ROLE), "{content}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }

    #[track_caller]
    fn refused_members(members: &str, expected: &str) {
        refused(&format!("{{\"{ROLE}\": {members}}}"), expected);
    }

    fn keys(members: &str) -> Arc<RoleKeys> {
        let ring = KeyRing::parse(format!("{{\"{ROLE}\": {members}}}").as_bytes()).unwrap();
        assert_eq!((ring.len(), ring.of("other").is_none()), (1, true));
        ring.of(ROLE).unwrap()
    }

    #[test]
    fn keys_are_read_with_or_without_a_token_and_an_end() {
        let read = keys(r#"{"accessKeyId": "A", "secretAccessKey": "s/+="}"#);
        assert_eq!((&*read.access_key_id.0, &*read.secret_access_key.0), ("A", "s/+="));
        assert_eq!((&*read.session_token.0, read.expires_at), ("", None));
        let read = keys(
            r#"{"accessKeyId": "A", "secretAccessKey": "s", "sessionToken": null, "expiration": null}"#,
        );
        assert_eq!((&*read.session_token.0, read.expires_at), ("", None));
        for end in ["2017-06-15T08:00:00Z", "2017-06-15T10:00:00+02:00", "2017-06-15T08:00:00.000Z"]
        {
            let read = keys(&format!(
                r#"{{"accessKeyId": "A", "secretAccessKey": "s", "sessionToken": "t", "expiration": "{end}"}}"#
            ));
            let at = Timestamp::from_millis(1_497_513_600_000);
            assert_eq!((&*read.session_token.0, read.expires_at), ("t", Some(at)));
            assert!(read.has_expired(at) && !read.has_expired(Timestamp::from_millis(0)));
        }
        assert_eq!(KeyRing::parse(b"{}").unwrap(), KeyRing::default());
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_place() {
        refused("", "it is no JSON at line 1, column 0");
        refused("hunter2", "it is no JSON at line 1, column 1");
        refused("{\n  \"a\": hunter2", "it is no JSON at line 2, column 8");
        refused("{} hunter2", "it is no JSON at line 1, column 4");
        const OBJECTS: &str = "it is to be an object of role ARNs, each with an object of that role's credentials, and is not at line 1, column ";
        refused("[]", &format!("{OBJECTS}0"));
        refused(r#""hunter2""#, &format!("{OBJECTS}9"));
        refused(r#"{"accessKeyId": "hunter2"}"#, &format!("{OBJECTS}25"));
    }

    #[test]
    fn what_makes_no_sense_is_named_by_its_role_and_member() {
        const NO_ROLE: &str = "is not the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME";
        for key in ["app", "*", "", "arn:aws:iam::1:user/a", "arn:aws:iam::1:role/"] {
            refused(&format!("{{\"{key}\": {{}}}}"), &format!("'{key}' {NO_ROLE}"));
        }
        let good = r#"{"accessKeyId": "hunter2", "secretAccessKey": "hunter2"}"#;
        refused(
            &format!("{{\"{ROLE}\": {good}, \"{ROLE}\": {good}}}"),
            "the role ROLE is there twice",
        );
        refused_members("{}", "the role ROLE has no accessKeyId");
        refused_members(
            r#"{"accessKeyId": "hunter2", "secretAccessKey": ""}"#,
            "the role ROLE has no secretAccessKey",
        );
        const KNOWN: &str = "that is not known or there twice: it may have accessKeyId, secretAccessKey, sessionToken and expiration";
        refused_members(
            r#"{"SecretAccessKey": "hunter2"}"#,
            &format!("the role ROLE has a member 'SecretAccessKey' {KNOWN}"),
        );
        refused_members(
            r#"{"accessKeyId": "hunter2", "accessKeyId": "hunter2"}"#,
            &format!("the role ROLE has a member 'accessKeyId' {KNOWN}"),
        );
        for value in [r#""hunter2\n""#, r#""hunter2 ""#, r#""hünter2""#, "7", r#"["hunter2"]"#] {
            refused_members(
                &format!(r#"{{"accessKeyId": "A", "secretAccessKey": {value}}}"#),
                "the role ROLE has a secretAccessKey that is no text of visible ASCII characters",
            );
        }
        for end in ["soon", "2017-06-15", "2017-06-15T08:00:00", "1497513600"] {
            refused_members(
                &format!(
                    r#"{{"accessKeyId": "A", "secretAccessKey": "s", "expiration": "{end}"}}"#
                ),
                "the role ROLE has an expiration that is no time such as 2026-11-24T18:00:00Z",
            );
        }
    }

    #[test]
    fn half_a_file_is_refused_and_none_of_it_is_told() {
        let whole = format!(
            r#"{{"{ROLE}": {{"accessKeyId": "hunter2", "secretAccessKey": "hunter2\u00e9"}}}}"#
        );
        for end in 0..whole.len() {
            let error = KeyRing::parse(&whole.as_bytes()[..end]).unwrap_err();
            assert!(matches!(error, RingError::NotJson { .. }), "{end}: {error:?}");
        }
    }

    #[test]
    fn a_ring_shows_no_value() {
        let read = keys(
            r#"{"accessKeyId": "hunter2", "secretAccessKey": "hunter2", "sessionToken": "hunter2"}"#,
        );
        assert!(!format!("{read:?}").contains("hunter2"));
    }
}
