//! The secret file: a local JSON object of names and secret values.
//!
//! It is read anew whenever tasks are told, so that what was rotated counts for the next task. A
//! value goes from the file into one agent's payload; it is never kept, shown or logged.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use longshore_model::TaskDefinition;
use longshore_model::container_definition::SecretReference;
use longshore_wire::Secret;
use longshore_wire::acs::BasicAuthData;
use serde_json::{Map, Value};

use crate::private_file;

/// Where secrets are kept.
#[derive(Clone, Debug)]
pub struct SecretsFile {
    path: PathBuf,
}

/// Why the secret file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretsFileError {
    /// It cannot be read.
    #[error("the secrets file {path} cannot be read: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// Others than its owner can get at it.
    #[error("the secrets file {path} is open to others than its owner: chmod 600 {path}")]
    NotPrivate {
        /// The file.
        path: PathBuf,
    },
    /// It holds something else.
    #[error(
        "the secrets file {path} does not hold a JSON object whose values are texts or objects"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
    },
}

/// Why a task cannot be given its secrets. Names what is missing, never a value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    /// Tasks that need secrets were defined when there was a file.
    #[error("this server has no secrets file; start it with --secrets-file")]
    NoFile,
    #[error(transparent)]
    File(#[from] SecretsFileError),
    #[error("the secret {0} is not in the secrets file")]
    Missing(String),
    #[error("the secret {name} has no key {key}")]
    NoKey { name: String, key: String },
    #[error("the secret {0} does not hold a username and a password")]
    NoLogin(String),
}

impl SecretsFile {
    /// Takes the file of this path, which must be usable now.
    pub fn open(path: &Path) -> Result<Self, SecretsFileError> {
        let file = Self { path: path.to_owned() };
        file.read().map(|_| file)
    }

    /// The secrets as they are now. The file is small and local, so this waits for the disk.
    fn read(&self) -> Result<Secrets, SecretsFileError> {
        let path = || self.path.clone();
        let io = |source| SecretsFileError::Io { path: path(), source };
        let (text, mode) = private_file::read(&self.path).map_err(io)?;
        if mode & 0o077 != 0 {
            return Err(SecretsFileError::NotPrivate { path: path() });
        }
        let values: Option<Map<String, Value>> = serde_json::from_slice(&text).ok();
        let is_secret = |it: &Value| it.is_string() || it.is_object();
        match values {
            Some(values) if values.values().all(is_secret) => Ok(Secrets(values)),
            _ => Err(SecretsFileError::Unreadable { path: path() }),
        }
    }
}

/// What the file held when it was read.
struct Secrets(Map<String, Value>);

impl Secrets {
    fn find(&self, reference: &SecretReference) -> Result<&Value, SecretError> {
        let found = reference.names().find_map(|it| self.0.get(it));
        found.ok_or_else(|| SecretError::Missing(reference.as_str().into()))
    }

    fn value(&self, reference: &SecretReference) -> Result<String, SecretError> {
        let whole = self.find(reference)?;
        let Some(key) = reference.json_key() else { return Ok(text(whole)) };
        let member = object(whole).and_then(|mut it| it.remove(key)).filter(|it| !it.is_null());
        member
            .as_ref()
            .map(text)
            .ok_or_else(|| SecretError::NoKey { name: reference.as_str().into(), key: key.into() })
    }

    fn login(&self, reference: &SecretReference) -> Result<BasicAuthData, SecretError> {
        let members = object(self.find(reference)?).unwrap_or_default();
        let member = |name: &str| members.get(name)?.as_str().map(str::to_owned);
        let login = member("username").zip(member("password"));
        let (username, password) =
            login.ok_or_else(|| SecretError::NoLogin(reference.as_str().into()))?;
        Ok(BasicAuthData { username, password: Secret(password) })
    }
}

/// A text as it is; anything else as its JSON.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The object that a secret is, or that its text holds.
fn object(value: &Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members.clone()),
        Value::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

/// The secrets of one task, by reference.
#[derive(Default)]
pub(crate) struct TaskSecrets {
    values: HashMap<String, String>,
    logins: HashMap<String, BasicAuthData>,
}

impl TaskSecrets {
    /// Finds all that a task of this definition needs.
    pub(crate) fn find(
        definition: &TaskDefinition,
        file: Option<&SecretsFile>,
    ) -> Result<Self, SecretError> {
        let mut found = Self::default();
        if !definition.needs_secrets() {
            return Ok(found);
        }
        let secrets = file.ok_or(SecretError::NoFile)?.read()?;
        for container in &definition.containers {
            for reference in container.secret_values().map(|it| &it.value_from) {
                found.values.insert(reference.as_str().into(), secrets.value(reference)?);
            }
            if let Some(reference) = &container.repository_credentials {
                found.logins.insert(reference.as_str().into(), secrets.login(reference)?);
            }
        }
        Ok(found)
    }

    pub(crate) fn value(&self, reference: &SecretReference) -> Option<&str> {
        self.values.get(reference.as_str()).map(String::as_str)
    }

    pub(crate) fn login(&self, reference: &SecretReference) -> Option<&BasicAuthData> {
        self.logins.get(reference.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.json");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        (dir, path)
    }

    #[test]
    fn a_file_that_others_can_get_at_is_refused() {
        for mode in [0o640, 0o604, 0o660, 0o777] {
            let (_dir, path) = file("{}", mode);
            let error = SecretsFile::open(&path).unwrap_err().to_string();
            assert!(error.ends_with(&format!("chmod 600 {}", path.display())), "{error}");
        }
        for mode in [0o600, 0o400] {
            let (_dir, path) = file("{}", mode);
            SecretsFile::open(&path).unwrap();
        }
    }

    #[test]
    fn a_file_of_something_else_is_refused_without_a_word_of_it() {
        for text in ["", "[]", "hunter2", r#"{"a": 7}"#, r#"{"a": "hunter2""#] {
            let (_dir, path) = file(text, 0o600);
            let error = SecretsFile::open(&path).unwrap_err();
            assert!(matches!(error, SecretsFileError::Unreadable { .. }), "{text}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }

    #[track_caller]
    fn check(reference: &str, expected: Result<&str, &str>) {
        let Value::Object(values) = serde_json::json!({
            "plain": "p", "/team/key": "k", "db": {"user": "u", "port": 5432, "none": null},
            "text": r#"{"user": "t"}"#, "arn:aws:ssm:us-east-1:1:parameter/whole": "w"
        }) else {
            unreachable!()
        };
        let reference = SecretReference::parse(reference).unwrap();
        let seen = Secrets(values).value(&reference).map_err(|it| it.to_string());
        assert_eq!(seen.as_deref(), expected.map_err(str::to_owned).as_deref());
    }

    #[test]
    fn a_secret_is_found_by_each_of_its_names() {
        const SECRET: &str = "arn:aws:secretsmanager:us-east-1:1:secret";
        check("plain", Ok("p"));
        check("/team/key", Ok("k"));
        check("arn:aws:ssm:us-east-1:1:parameter/team/key", Ok("k"));
        check("arn:aws:ssm:us-east-1:1:parameter/plain", Ok("p"));
        check("arn:aws:ssm:us-east-1:1:parameter/whole", Ok("w"));
        check(&format!("{SECRET}:plain-a1B2c3"), Ok("p"));
        check(&format!("{SECRET}:db"), Ok(r#"{"none":null,"port":5432,"user":"u"}"#));
        check(&format!("{SECRET}:db-a1B2c3:user::"), Ok("u"));
        check(&format!("{SECRET}:db:port::"), Ok("5432"));
        check(&format!("{SECRET}:text:user::"), Ok("t"));
    }

    #[test]
    fn what_is_missing_is_named() {
        const DB: &str = "arn:aws:secretsmanager:us-east-1:1:secret:db";
        check("other", Err("the secret other is not in the secrets file"));
        let no_key = |key: &str| format!("the secret {DB}:{key} has no key {key}");
        check(&format!("{DB}:none"), Err(&no_key("none")));
        check(&format!("{DB}:other"), Err(&no_key("other")));
    }
}
