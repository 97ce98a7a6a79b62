//! Credentials of roles, for the tasks that have one: from a local file to the task's own agent.
//!
//! Credentials are a function of the task, the file as it is in force, and the time, so nothing of
//! them is state: not that they were given, nor the id by which containers fetch them. Their values
//! are in the file, in memory, and in messages to the agents of tasks that have the role.

mod file;
mod ring;

use std::sync::Arc;

use longshore_model::{InstanceId, Owner, Task, TaskDefinition, Timestamp};
use longshore_wire::Secret;
use longshore_wire::acs::RoleCredentials;
use tokio::sync::watch;

use crate::MasterKey;

pub use file::{RoleCredentialsFile, RoleCredentialsFileError};
pub use ring::RingError;
use ring::{KeyRing, RoleKeys};

const HOUR_MILLIS: i64 = 60 * 60 * 1000;

/// How long keys without an end are said to last, counted from the last renewal. Clients refuse
/// credentials without an end, and fetch them again shortly before it: it bounds how long a
/// container goes on with keys that were replaced, and how long the control plane may be away.
const LASTS_MILLIS: i64 = 6 * HOUR_MILLIS;

/// How often they are said to last longer.
const RENEWED_MILLIS: i64 = HOUR_MILLIS;

/// What gives tasks the credentials of their roles.
#[derive(Clone, Debug)]
pub(crate) struct Roles {
    pub(crate) file: Option<RoleCredentialsFile>,
    /// The ids of credentials are made from it.
    pub(crate) master: MasterKey,
}

/// Why a task cannot have its role. Names the role, never a value.
#[derive(Debug, thiserror::Error)]
#[error("ECS was unable to assume the role '{role}' that was provided for this task: {want}")]
pub(crate) struct RoleError {
    role: String,
    want: RoleWant,
}

#[derive(Debug, thiserror::Error)]
enum RoleWant {
    #[error("this server has credentials of no role; start it with --role-credentials FILE")]
    NoFile,
    #[error("it is not in the file of --role-credentials")]
    Missing,
    #[error("its credentials in the file of --role-credentials have expired")]
    Expired,
}

/// What a task was given, for as long as it is what it should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    keys: Arc<RoleKeys>,
    expires_at: Timestamp,
}

impl Roles {
    /// Without a file no task can have its role.
    pub(crate) fn of_nobody(master: MasterKey) -> Self {
        Self { file: None, master }
    }

    /// Has what the file says now count from now on.
    pub(crate) fn look(&self) {
        if let Some(file) = &self.file {
            file.look();
        }
    }

    /// Wakes whenever something else counts.
    pub(crate) fn changes(&self) -> Option<watch::Receiver<Arc<KeyRing>>> {
        self.file.as_ref().map(RoleCredentialsFile::changes)
    }

    /// What a task is to have now; nothing if it has no role.
    pub(crate) fn of_task(
        &self,
        task: &Task,
        definition: &TaskDefinition,
        owner: &Owner,
        now: Timestamp,
    ) -> Result<Option<(Given, RoleCredentials)>, RoleError> {
        let Some(role) = definition.task_role(task.overrides.as_deref()) else { return Ok(None) };
        // Records of earlier versions have names as they were sent.
        let role = owner.role_arn(role);
        match self.keys_of(&role, now) {
            Ok(keys) => {
                let made = || renewed_at(task.container_instance, now) + LASTS_MILLIS;
                let expires_at = keys.expires_at.unwrap_or_else(|| Timestamp::from_millis(made()));
                let told = RoleCredentials {
                    credentials_id: Secret(self.master.credentials_id(task.id)),
                    role_arn: Some(role),
                    access_key_id: Some(keys.access_key_id.clone()),
                    secret_access_key: Some(keys.secret_access_key.clone()),
                    session_token: Some(keys.session_token.clone()),
                    expiration: Some(iso_8601(expires_at)),
                };
                Ok(Some((Given { keys, expires_at }, told)))
            }
            Err(want) => Err(RoleError { role, want }),
        }
    }

    fn keys_of(&self, role: &str, now: Timestamp) -> Result<Arc<RoleKeys>, RoleWant> {
        let file = self.file.as_ref().ok_or(RoleWant::NoFile)?;
        let keys = file.in_force().of(role).ok_or(RoleWant::Missing)?;
        if keys.has_expired(now) { Err(RoleWant::Expired) } else { Ok(keys) }
    }
}

/// When credentials without an end were last said to last longer, in milliseconds since the epoch.
/// Each instance has its own moment of the hour, so that not all agents are told at once.
pub(crate) fn renewed_at(instance: InstanceId, now: Timestamp) -> i64 {
    let offset = i64::try_from(instance.bits() % RENEWED_MILLIS as u128).unwrap_or(0);
    (now.millis() - offset).div_euclid(RENEWED_MILLIS) * RENEWED_MILLIS + offset
}

/// As every client reads it: of UTC, in whole seconds.
fn iso_8601(at: Timestamp) -> String {
    let instant = jiff::Timestamp::from_second(at.millis().div_euclid(1000));
    instant.unwrap_or(jiff::Timestamp::MAX).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_put_off_once_an_hour_and_always_hours_away() {
        for bits in [0, 1, 3_599_999, u128::MAX] {
            let instance = InstanceId::from_bits(bits);
            let mut changes = 0;
            let mut last = renewed_at(instance, Timestamp::from_millis(0));
            for minute in 1..=600 {
                let now = Timestamp::from_millis(minute * 60_000);
                let renewed = renewed_at(instance, now);
                let lasts = renewed + LASTS_MILLIS - now.millis();
                assert!((5 * HOUR_MILLIS..=6 * HOUR_MILLIS).contains(&lasts), "{lasts}");
                changes += i32::from(renewed != last);
                last = renewed;
            }
            assert_eq!(changes, 10);
        }
    }

    #[test]
    fn an_end_is_spelled_as_all_clients_read_it() {
        let text = |millis| iso_8601(Timestamp::from_millis(millis));
        assert_eq!(text(1_497_513_600_123), "2017-06-15T08:00:00Z");
        assert_eq!(text(0), "1970-01-01T00:00:00Z");
    }
}
