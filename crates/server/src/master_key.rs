//! What the secrets of join tokens and instance keys are made from.
//!
//! Each is made anew from its access key id whenever it is needed, so that none is kept: neither in
//! the state nor in its journal nor in a copy of either. It does not come from the root key, which
//! people choose: whoever has one of the secrets could then try guesses of that.

use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use hmac::{Hmac, KeyInit, Mac};
use longshore_model::{InstanceKeyId, JoinTokenId, TaskId};
use sha2::Sha256;
use uuid::{Builder, Uuid};

use crate::private_file;

/// 32 random bytes, made at the first start and kept in the data directory, readable by its owner
/// alone. Without it no agent that has joined is known any more.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file cannot be read or written.
    #[error("the master key in {path} cannot be used: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The file holds something else.
    #[error(
        "{0} does not hold a master key; restore it, or remove it to have a new one made: then all machines that have joined must join again"
    )]
    Unreadable(PathBuf),
}

const FILE: &str = "master-key";

impl MasterKey {
    /// The key of a data directory; at the first start, a new one.
    pub fn load_or_create(data_dir: &Path) -> Result<Self, MasterKeyError> {
        let path = data_dir.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => {
                let mut key = [0; 32];
                let read = hex::decode_to_slice(text.trim(), &mut key);
                read.map(|()| Self(key)).map_err(|_| MasterKeyError::Unreadable(path))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Self::random();
                let text = format!("{}\n", hex::encode(key.0));
                private_file::write(data_dir, FILE, text.as_bytes())
                    .map_err(|source| MasterKeyError::Io { path, source })?;
                Ok(key)
            }
            Err(source) => Err(MasterKeyError::Io { path, source }),
        }
    }

    /// A new one that is kept nowhere.
    pub fn random() -> Self {
        let mut key = [0; 32];
        key[..16].copy_from_slice(Uuid::new_v4().as_bytes());
        key[16..].copy_from_slice(Uuid::new_v4().as_bytes());
        // A UUID has 122 random bits; this spreads them over all.
        Self(hmac(&key, &[b"longshore master key"]))
    }

    /// The secret access key that belongs to the id of a token or an instance key.
    pub(crate) fn secret_of(&self, access_key_id: &str) -> String {
        hex::encode(hmac(&self.0, &[b"secret\0", access_key_id.as_bytes()]))
    }

    /// The id by which a task's containers fetch the credentials of its role: the same for the task's
    /// whole life, and nobody's guess.
    pub(crate) fn credentials_id(&self, task: TaskId) -> String {
        let hash = hmac(&self.0, &[b"role credentials\0", &task.bits().to_be_bytes()]);
        let (bytes, _) = hash.split_first_chunk().expect("a hash has more than 16 bytes");
        Builder::from_random_bytes(*bytes).into_uuid().to_string()
    }

    /// The id of the key that a machine gets which joins with this token: the same whenever it
    /// says the same `nonce`, and another one otherwise. Only who knows the nonce can be given that
    /// key again, and the id does not tell it.
    pub(crate) fn instance_key_id(&self, token: JoinTokenId, nonce: u128) -> InstanceKeyId {
        let (token, nonce) = (token.bits().to_be_bytes(), nonce.to_be_bytes());
        let hash = hmac(&self.0, &[b"instance key\0", &token, &nonce]);
        let bits = hash.iter().take(16).fold(0, |bits, it| (bits << 8) | u128::from(*it));
        InstanceKeyId::from_bits(bits)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey")
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    parts.iter().for_each(|it| mac.update(it));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn it_is_made_once_and_kept_readable_by_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let first = MasterKey::load_or_create(dir.path()).unwrap();
        let again = MasterKey::load_or_create(dir.path()).unwrap();
        assert_eq!(first.secret_of("LSIK1"), again.secret_of("LSIK1"));
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(format!("{first:?}"), "MasterKey");
    }

    #[test]
    fn each_id_has_a_secret_of_its_own() {
        let (one, other) = (MasterKey([1; 32]), MasterKey([2; 32]));
        assert_eq!(one.secret_of("LSIK1").len(), 64);
        assert_ne!(one.secret_of("LSIK1"), one.secret_of("LSIK2"));
        assert_ne!(one.secret_of("LSIK1"), other.secret_of("LSIK1"));
        assert_ne!(MasterKey::random().0, MasterKey::random().0);
    }

    #[test]
    fn the_same_call_gets_the_same_key() {
        let key = MasterKey([1; 32]);
        let token = JoinTokenId::from_bits;
        assert_eq!(key.instance_key_id(token(1), 7), key.instance_key_id(token(1), 7));
        assert_ne!(key.instance_key_id(token(1), 7), key.instance_key_id(token(1), 8));
        assert_ne!(key.instance_key_id(token(1), 7), key.instance_key_id(token(2), 7));
    }

    #[test]
    fn each_task_has_its_own_id_of_credentials_for_good() {
        let (one, other) = (MasterKey([1; 32]), MasterKey([2; 32]));
        let task = TaskId::from_bits;
        assert_eq!(one.credentials_id(task(1)), one.clone().credentials_id(task(1)));
        assert_ne!(one.credentials_id(task(1)), one.credentials_id(task(2)));
        assert_ne!(one.credentials_id(task(1)), other.credentials_id(task(1)));
        assert_eq!(one.credentials_id(task(1)).len(), 36);
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["", "abc", &"x".repeat(64), &"a".repeat(66)] {
            fs::write(dir.path().join(FILE), text).unwrap();
            let error = MasterKey::load_or_create(dir.path()).unwrap_err();
            assert!(matches!(error, MasterKeyError::Unreadable(_)), "{text}");
        }
    }
}
