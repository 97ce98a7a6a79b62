//! The root access key: made at the first start, kept in the data directory, readable by its owner
//! alone.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::private_file;

/// An access key that may do everything.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootKey {
    /// Sent with each request.
    pub access_key_id: String,
    /// Never sent; signs each request.
    pub secret_access_key: String,
}

impl std::fmt::Debug for RootKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RootKey")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// Why there is no root key.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// The file cannot be read or written.
    #[error("the root access key in {path} cannot be used: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{0} does not hold a root access key; restore it, or remove it to have a new key made")]
    Unreadable(PathBuf),
    /// The chosen key cannot be signed with.
    #[error("the chosen root access key is not valid: {0}")]
    Invalid(&'static str),
}

const FILE: &str = "root-key.json";

impl RootKey {
    /// The key of a data directory.
    pub fn load(data_dir: &Path) -> Result<Self, RootKeyError> {
        let path = data_dir.join(FILE);
        let text =
            fs::read(&path).map_err(|source| RootKeyError::Io { path: path.clone(), source })?;
        serde_json::from_slice(&text).map_err(|_| RootKeyError::Unreadable(path))
    }

    /// The key of a data directory; at the first start the chosen one, or else a new one.
    pub fn load_or_create(data_dir: &Path, chosen: Option<Self>) -> Result<Self, RootKeyError> {
        match Self::load(data_dir) {
            Err(RootKeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            loaded => return loaded,
        }
        let key = chosen.unwrap_or_else(Self::random);
        key.check()?;
        key.save(data_dir)?;
        Ok(key)
    }

    fn random() -> Self {
        let bits = |from: &Uuid| from.simple().to_string().to_uppercase();
        let id = bits(&Uuid::new_v4());
        Self {
            access_key_id: format!("AKIA{}", id.get(..16).unwrap_or(&id)),
            secret_access_key: format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()),
        }
    }

    fn check(&self) -> Result<(), RootKeyError> {
        let plain = |it: char| it.is_ascii_alphanumeric() || it == '_';
        if !(3..=128).contains(&self.access_key_id.len()) || !self.access_key_id.chars().all(plain)
        {
            return Err(RootKeyError::Invalid(
                "the access key id must be 3 to 128 letters, digits and underscores",
            ));
        }
        if !(8..=128).contains(&self.secret_access_key.len())
            || !self.secret_access_key.chars().all(|it| it.is_ascii_graphic())
        {
            return Err(RootKeyError::Invalid(
                "the secret access key must be 8 to 128 printable characters without blanks",
            ));
        }
        Ok(())
    }

    fn save(&self, data_dir: &Path) -> Result<(), RootKeyError> {
        let text = serde_json::to_vec(self).map_err(io::Error::from);
        let written = text.and_then(|it| private_file::write(data_dir, FILE, &it));
        written.map_err(|source| RootKeyError::Io { path: data_dir.join(FILE), source })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept_readable_by_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let first = RootKey::load_or_create(dir.path(), None).unwrap();
        assert_eq!(RootKey::load_or_create(dir.path(), None).unwrap(), first);
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{first:?}").contains(&first.secret_access_key));
    }

    #[test]
    fn a_chosen_key_counts_at_the_first_start_only() {
        let dir = tempfile::tempdir().unwrap();
        let key = |name: &str| RootKey {
            access_key_id: name.into(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
        };
        let first = RootKey::load_or_create(dir.path(), Some(key("AKIDFIRST"))).unwrap();
        assert_eq!(first.access_key_id, "AKIDFIRST");
        let second = RootKey::load_or_create(dir.path(), Some(key("AKIDSECOND"))).unwrap();
        assert_eq!(second.access_key_id, "AKIDFIRST");
    }

    #[test]
    fn a_chosen_key_that_cannot_sign_and_a_damaged_file_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let bad = RootKey { access_key_id: "a b".into(), secret_access_key: "x".repeat(40) };
        assert!(matches!(
            RootKey::load_or_create(dir.path(), Some(bad)),
            Err(RootKeyError::Invalid(_))
        ));
        fs::write(dir.path().join(FILE), "nonsense").unwrap();
        assert!(matches!(
            RootKey::load_or_create(dir.path(), None),
            Err(RootKeyError::Unreadable(_))
        ));
    }
}
