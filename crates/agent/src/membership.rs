//! What a machine keeps that has joined: where its control plane is, and as whom it calls there.

use std::fmt;
use std::io;
use std::path::Path;

use longshore_client::{Fingerprint, Trust};
use serde::{Deserialize, Serialize};

use crate::files;

const FILE: &str = "membership.json";

/// Kept in the agent's data directory, for its owner alone: the key is in it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Membership {
    /// The control plane's URL.
    pub endpoint: String,
    /// Of its certificate authority, where it has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_fingerprint: Option<Fingerprint>,
    /// The cluster that was joined, by name.
    pub cluster: String,
    /// The region to sign for.
    pub region: String,
    /// This machine's key.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
    /// The id of the token by which it joined.
    pub join_token: String,
}

impl Membership {
    /// What was kept in an agent's data directory; `None` where the machine has not joined.
    ///
    /// # Errors
    /// If it cannot be read, or is damaged.
    pub fn load(data_dir: &Path) -> io::Result<Option<Self>> {
        files::load(data_dir, FILE)
    }

    /// Whom the control plane's certificate may come from.
    pub fn trust(&self) -> Trust {
        self.ca_fingerprint.map_or(Trust::System, Trust::Fingerprint)
    }

    /// Keeps it, also over a power cut, in place of what was kept before.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, data_dir: &Path) -> io::Result<()> {
        files::save(data_dir, FILE, self)
    }
}

impl fmt::Debug for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Membership")
            .field("endpoint", &self.endpoint)
            .field("cluster", &self.cluster)
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn membership() -> Membership {
        Membership {
            endpoint: "https://10.0.0.1:8327".into(),
            ca_fingerprint: None,
            cluster: "default".into(),
            region: "us-east-1".into(),
            access_key_id: "LSIK1".into(),
            secret_access_key: "hunter2".into(),
            join_token: "LSJT1".into(),
        }
    }

    #[test]
    fn a_membership_is_kept_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Membership::load(dir.path()).unwrap(), None);
        membership().save(dir.path()).unwrap();
        assert_eq!(Membership::load(dir.path()).unwrap(), Some(membership()));
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{:?}", membership()).contains("hunter2"));
    }

    #[test]
    fn a_damaged_membership_is_not_taken_for_none() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["", "{", r#"{"schema":99}"#, r#"{"schema":1}"#] {
            fs::write(dir.path().join(FILE), text).unwrap();
            let error = Membership::load(dir.path()).unwrap_err().to_string();
            assert!(error.contains(FILE), "{error}");
        }
    }
}
