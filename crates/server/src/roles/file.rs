//! The file of roles' credentials, and what of it is in force.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use longshore_control::Control;
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{error, info, warn};

use super::ring::{KeyRing, RingError};
use crate::private_file;

/// How often the file is looked at, beside each time that a task with a role is told.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Where the credentials of roles are. What was good when it was last looked at is in force.
#[derive(Clone, Debug)]
pub struct RoleCredentialsFile(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    seen: Mutex<Seen>,
    in_force: watch::Sender<Arc<KeyRing>>,
}

/// How the file was when it was last looked at, good or bad, so that a change is known.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Content([u8; 32]),
    /// It cannot be read, and this was said of it.
    Nothing(String),
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RoleCredentialsFileError {
    /// It cannot be read.
    #[error("the role credentials file {path} cannot be read: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// Others than its owner can get at it.
    #[error("the role credentials file {path} is open to others than its owner: chmod 600 {path}")]
    NotPrivate {
        /// The file.
        path: PathBuf,
    },
    /// It makes no sense.
    #[error("the role credentials file {path} cannot be used: {source}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: RingError,
    },
}

impl RoleCredentialsFile {
    /// Takes the file of this path, which must be usable now.
    ///
    /// # Errors
    /// Where it cannot be read, is open to others than its owner, or says something else.
    pub fn open(path: &Path) -> Result<Self, RoleCredentialsFileError> {
        let content = read(path)?;
        let ring = parse(path, &content)?;
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            seen: Mutex::new(Seen::Content(digest(&content))),
            in_force: watch::Sender::new(Arc::new(ring)),
        })))
    }

    pub(super) fn in_force(&self) -> Arc<KeyRing> {
        Arc::clone(&self.0.in_force.borrow())
    }

    pub(super) fn changes(&self) -> watch::Receiver<Arc<KeyRing>> {
        self.0.in_force.subscribe()
    }

    /// Looks at the file: what is new there counts from now on, unless it cannot be used, which is
    /// said once. The file is small and local, so this waits for the disk.
    pub(super) fn look(&self) {
        let Inner { path, seen, in_force } = &*self.0;
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, ring) = match read(path) {
            Ok(content) => {
                let now = Seen::Content(digest(&content));
                if *seen == now {
                    return;
                }
                (now, parse(path, &content))
            }
            Err(error) => (Seen::Nothing(error.to_string()), Err(error)),
        };
        if *seen == now {
            return;
        }
        *seen = now;
        match ring {
            Ok(ring) => {
                let before = in_force.borrow().clone();
                for role in before.without(&ring) {
                    warn!(
                        role,
                        "the role's credentials are gone: its tasks keep what they have until it expires"
                    );
                }
                if ring != *before {
                    info!(roles = ring.len(), "the credentials of roles are new ones");
                    in_force.send_replace(Arc::new(ring));
                }
            }
            Err(error) => {
                error!(%error, "the credentials of roles are not renewed: the old ones are kept");
            }
        }
    }

    /// Keeps looking, for ever, and says once of each role that its keys have expired.
    pub(crate) async fn follow(&self, control: &Control) {
        let mut known: BTreeSet<String> = BTreeSet::new();
        loop {
            self.look();
            let expired: BTreeSet<String> =
                self.in_force().expired(control.now()).map(str::to_owned).collect();
            for role in expired.difference(&known) {
                warn!(role, "the role's credentials have expired, and the file has no others");
            }
            known = expired;
            sleep(LOOK_EVERY).await;
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, RoleCredentialsFileError> {
    let io = |source| RoleCredentialsFileError::Io { path: path.to_owned(), source };
    let (content, mode) = private_file::read(path).map_err(io)?;
    if mode & 0o077 != 0 {
        return Err(RoleCredentialsFileError::NotPrivate { path: path.to_owned() });
    }
    Ok(content)
}

fn parse(path: &Path, content: &[u8]) -> Result<KeyRing, RoleCredentialsFileError> {
    KeyRing::parse(content)
        .map_err(|source| RoleCredentialsFileError::Content { path: path.to_owned(), source })
}

fn digest(content: &[u8]) -> [u8; 32] {
    Sha256::digest(content).into()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const GOOD: &str =
        r#"{"arn:aws:iam::1:role/app": {"accessKeyId": "A", "secretAccessKey": "old"}}"#;

    fn write(path: &Path, text: &str, mode: u32) {
        let beside = path.with_extension("new");
        fs::write(&beside, text).unwrap();
        fs::set_permissions(&beside, Permissions::from_mode(mode)).unwrap();
        fs::rename(&beside, path).unwrap();
    }

    #[test]
    fn it_is_its_owners_alone_and_must_be_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("roles.json");
        let error = RoleCredentialsFile::open(&path).unwrap_err().to_string();
        assert!(error.contains("cannot be read"), "{error}");
        for mode in [0o640, 0o604, 0o660, 0o777] {
            write(&path, GOOD, mode);
            let error = RoleCredentialsFile::open(&path).unwrap_err().to_string();
            assert!(error.ends_with(&format!("chmod 600 {}", path.display())), "{error}");
        }
        for mode in [0o600, 0o400] {
            write(&path, GOOD, mode);
            RoleCredentialsFile::open(&path).unwrap();
        }
        write(&path, "{", 0o600);
        let error = RoleCredentialsFile::open(&path).unwrap_err().to_string();
        assert!(error.ends_with("cannot be used: it is no JSON at line 1, column 1"), "{error}");
    }

    #[test]
    fn what_cannot_be_used_leaves_the_old_in_force() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("roles.json");
        write(&path, GOOD, 0o600);
        let file = RoleCredentialsFile::open(&path).unwrap();
        let mut changes = file.changes();
        let old = file.in_force();
        for (text, mode) in [("{", 0o600), (GOOD, 0o644), (GOOD, 0o600), ("[]", 0o600)] {
            write(&path, text, mode);
            file.look();
            assert_eq!(file.in_force(), old);
        }
        fs::remove_file(&path).unwrap();
        file.look();
        assert_eq!(file.in_force(), old);
        assert!(!changes.has_changed().unwrap());
        write(&path, &GOOD.replace("old", "new"), 0o600);
        file.look();
        assert_ne!(file.in_force(), old);
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        write(&path, &GOOD.replace("old", "new").replace(' ', ""), 0o600);
        file.look();
        assert!(!changes.has_changed().unwrap(), "it says the same");
    }
}
