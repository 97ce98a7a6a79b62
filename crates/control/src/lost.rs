//! Tasks on machines that stay away: which are given up, and what is still to be known of them.
//!
//! A task whose policy says so counts as lost once its instance's agent has been away for so long:
//! to clients it is STOPPED, and may be replaced. The machine may run it all the same, so there it
//! goes on taking what it took, is remembered, and is told to stop before anything else is told to
//! start, until the machine has said that it is over or the instance is deregistered. Nothing that
//! is said of it makes it run again.
//!
//! There are never more of them than fit on their instances, since they take what they took.

mod absences;

use std::sync::Arc;

use longshore_model::lost_after::LOST_AFTER;
use longshore_model::status::InstanceStatus;
use longshore_model::{
    ContainerInstance, InstanceId, LastStatus, Lost, LostAfter, StopCode, Task, TaskId, Timestamp,
};
use longshore_store::{State, StoreError, Tx};

pub use absences::Absences;

use crate::Control;
use crate::tasks::{TaskReport, shortened};

/// How long agents have to come back before they count as away at all, after the control plane was
/// away. Agents try again after at most 2 minutes and a fifth; a handshake takes 30 s at most.
pub(crate) const RETURN_SECS: i64 = 180;

/// What is to be done about the tasks of one instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// These are lost, by policies of whom.
    pub lost: Vec<(TaskId, LostAfter, Origin)>,
    /// When to look at it again; `None` where its tasks wait for ever.
    pub look_at: Option<Timestamp>,
}

/// Whose policy it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The task's own.
    Task,
    /// Its cluster's.
    Cluster,
}

impl Origin {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Cluster => "cluster",
        }
    }
}

/// Which tasks of an instance are lost now, and when others may be. None of one that is connected.
pub fn judge(state: &State, instance: InstanceId, now: Timestamp) -> Judgement {
    let mut judgement = Judgement::default();
    let Some(instance) = state.instance(instance).filter(|it| is_away(it)) else {
        return judgement;
    };
    let Some(since) = instance.away_since else { return judgement };
    let of_cluster = state.cluster(&instance.cluster).and_then(|it| LostAfter::of(&it.tags));
    for task in state.occupancy(instance.id).tasks.iter().filter_map(|it| state.task(*it)) {
        let (policy, origin) = match LostAfter::of(&task.tags) {
            Some(own) => (own, Origin::Task),
            None => (of_cluster.unwrap_or_default(), Origin::Cluster),
        };
        match policy.due(since) {
            Some(due) if due <= now => judgement.lost.push((task.id, policy, origin)),
            Some(due) => {
                judgement.look_at = judgement.look_at.into_iter().chain([due]).min();
            }
            None => {}
        }
    }
    judgement
}

fn is_away(instance: &ContainerInstance) -> bool {
    !instance.agent_connected && instance.status != InstanceStatus::Inactive
}

/// Whether tasks may be lost with this instance.
pub(crate) fn is_away_with_tasks(instance: &ContainerInstance, state: &State) -> bool {
    is_away(instance) && !state.occupancy(instance.id).tasks.is_empty()
}

impl Control {
    /// Gives up the tasks whose time is over, and says which. First it makes good for a clock that
    /// was set. Looks at no instance that is not due.
    ///
    /// # Errors
    /// If the state cannot be saved.
    pub async fn lose_tasks(&self, absences: &mut Absences) -> Result<Vec<TaskId>, StoreError> {
        let now = self.now();
        if let Some(set_by_millis) = absences.clock_was_set(now, self.elapsed()) {
            tracing::warn!(
                set_by_millis,
                "the clock was set: agents that are away have their whole time to return again"
            );
            self.count_anew(now, set_by_millis).await?;
            absences.begin_again(&self.view());
        }
        let mut lost = Vec::new();
        for instance in absences.due(now) {
            let state = self.view();
            let mut judgement = judge(&state, instance, now);
            if !judgement.lost.is_empty() {
                judgement = self.give_up(instance, now).await?;
            }
            absences.look_at(instance, judgement.look_at);
            lost.extend(judgement.lost.into_iter().map(|(task, ..)| task));
        }
        Ok(lost)
    }

    async fn give_up(&self, instance: InstanceId, now: Timestamp) -> Result<Judgement, StoreError> {
        let judgement = self
            .store
            .update(|tx| {
                // Its agent may have returned meanwhile.
                let judgement = judge(tx, instance, now);
                let since = tx.instance(instance).and_then(|it| it.away_since).unwrap_or(now);
                for (task, policy, origin) in &judgement.lost {
                    let reason = reason(instance, *policy, *origin, since);
                    give_up(tx, *task, &reason, now);
                }
                Ok::<_, StoreError>(judgement)
            })
            .await?;
        if !judgement.lost.is_empty() {
            tracing::warn!(
                %instance,
                tasks = judgement.lost.len(),
                "the agent stays away: tasks there count as lost, and are stopped when it returns"
            );
        }
        Ok(judgement)
    }

    /// Whoever is away is so from now on, and not before that by the clock that was set.
    async fn count_anew(&self, now: Timestamp, set_by_millis: i64) -> Result<(), StoreError> {
        self.store
            .update(|tx| {
                let away = tx.all_instances().filter(|it| is_away_with_tasks(it, tx));
                let away: Vec<_> = away.map(Arc::clone).collect();
                for instance in away {
                    let shifted = |it: Timestamp| it.millis().saturating_add(set_by_millis);
                    let shifted = instance.away_since.map(|it| Timestamp::from_millis(shifted(it)));
                    let away_since = shifted.max(Some(now));
                    tx.put_instance(ContainerInstance {
                        away_since,
                        ..ContainerInstance::clone(&instance)
                    });
                }
                Ok(())
            })
            .await
    }
}

fn reason(instance: InstanceId, policy: LostAfter, origin: Origin, since: Timestamp) -> String {
    let since = jiff::Timestamp::from_millisecond(since.millis() / 1000 * 1000);
    let since = since.map(|it| it.to_string()).unwrap_or_default();
    let origin = origin.as_str();
    format!(
        "Lost: container instance {instance} has been away since {since}, longer than {policy} \
         ({LOST_AFTER} of the {origin}). The task may still run there; when the instance returns it \
         is stopped before anything else starts there."
    )
}

fn give_up(tx: &mut Tx<'_>, task: TaskId, reason: &str, now: Timestamp) {
    let Some(task) = tx.task(task).filter(|it| it.last_status != LastStatus::Stopped) else {
        return;
    };
    let mut task = Task::clone(task);
    task.stop(now, StopCode::TerminationNotice, reason);
    task.end(now);
    task.lost = Some(Lost::AtLarge);
    task.version += 1;
    tx.put_task(task);
}

/// Takes in what an agent says of a task at large: how its containers ended, and that it is over.
pub(crate) fn hear(task: &mut Task, report: &TaskReport, now: Timestamp) {
    let ends = report.containers.iter().filter(|it| it.status == LastStatus::Stopped);
    for said in ends {
        let Some(container) = task.containers.iter_mut().find(|it| it.name == said.name) else {
            continue;
        };
        container.exit_code = container.exit_code.or(said.exit_code);
        if let Some(reason) = said.reason.as_deref().filter(|it| !it.is_empty()) {
            container.reason = Some(shortened(reason));
        }
        if let Some(runtime_id) = said.runtime_id.as_deref() {
            container.runtime_id = Some(runtime_id.into());
        }
    }
    if report.status == Some(LastStatus::Stopped) {
        task.lost = Some(Lost::Settled { at: now });
    }
}

/// The same task, of which nothing will be heard any more.
pub(crate) fn settled(task: &Task, now: Timestamp) -> Task {
    let mut task = Task::clone(task);
    task.lost = Some(Lost::Settled { at: now });
    task.version += 1;
    task
}

#[cfg(test)]
mod tests;
