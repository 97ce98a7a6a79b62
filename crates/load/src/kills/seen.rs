//! A task as an answer shows it, reduced to what may only go one way.

use longshore_wire::ecs;

/// `lastStatus`, in its order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LastStatus {
    #[default]
    Pending,
    Running,
    Stopped,
}

/// `desiredStatus`, in its order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DesiredStatus {
    #[default]
    Running,
    Stopped,
}

/// A task as it was once shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) version: i64,
    pub(super) last_status: LastStatus,
    pub(super) desired_status: DesiredStatus,
    pub(super) instance: String,
    pub(super) definition: String,
    /// The mark of the call that made it.
    pub(super) started_by: String,
    pub(super) exit_codes: Vec<Option<i32>>,
}

/// What a later answer must not fall below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Floor {
    pub(super) version: i64,
    pub(super) last_status: LastStatus,
    pub(super) desired_status: DesiredStatus,
}

impl LastStatus {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "PENDING" => Some(Self::Pending),
            "RUNNING" => Some(Self::Running),
            "STOPPED" => Some(Self::Stopped),
            _ => None,
        }
    }
}

impl Seen {
    /// Reads a task; `None` when a member is missing that every task has.
    pub(super) fn read(task: &ecs::Task) -> Option<Self> {
        let containers = task.containers.as_deref()?;
        Some(Self {
            version: task.version?,
            last_status: LastStatus::parse(task.last_status.as_deref()?)?,
            desired_status: match task.desired_status.as_deref()? {
                "RUNNING" => DesiredStatus::Running,
                "STOPPED" => DesiredStatus::Stopped,
                _ => return None,
            },
            instance: task.container_instance_arn.clone()?,
            definition: task.task_definition_arn.clone()?,
            started_by: task.started_by.clone()?,
            exit_codes: containers.iter().map(|it| it.exit_code).collect(),
        })
    }

    /// What is wrong with it after it was shown or acknowledged so before.
    pub(super) fn fall_below(&self, floor: Floor) -> Option<String> {
        let fallen = self.version < floor.version
            || self.last_status < floor.last_status
            || self.desired_status < floor.desired_status;
        let changed =
            self.last_status > floor.last_status || self.desired_status > floor.desired_status;
        // A floor that came of an agent's report alone says nothing of the version.
        let still = changed && self.version <= floor.version && floor.version > 0;
        (fallen || still).then(|| format!("was at least {floor:?}, is {self:?}"))
    }

    /// What is wrong with it when it was shown like `before`, in whatever order.
    pub(super) fn contradiction(&self, before: &Self) -> Option<String> {
        let same_task = self.instance == before.instance
            && self.definition == before.definition
            && self.started_by == before.started_by;
        let same_version = self.version != before.version || self == before;
        (!same_task || !same_version).then(|| format!("was {before:?}, is {self:?}"))
    }
}

impl Floor {
    pub(super) fn raise(&mut self, seen: &Seen) {
        self.version = self.version.max(seen.version);
        self.last_status = self.last_status.max(seen.last_status);
        self.desired_status = self.desired_status.max(seen.desired_status);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(version: i64, last_status: LastStatus, desired_status: DesiredStatus) -> Seen {
        Seen {
            version,
            last_status,
            desired_status,
            instance: "i".into(),
            definition: "d".into(),
            started_by: "s".into(),
            exit_codes: vec![None],
        }
    }

    #[track_caller]
    fn check(before: &Seen, after: &Seen, is_well: bool) {
        let mut floor = Floor::default();
        floor.raise(before);
        assert_eq!(after.fall_below(floor).is_none(), is_well, "{before:?} {after:?}");
    }

    #[test]
    fn a_task_may_move_on_with_a_higher_version() {
        let before = seen(2, LastStatus::Running, DesiredStatus::Running);
        check(&before, &before, true);
        check(&before, &seen(3, LastStatus::Running, DesiredStatus::Stopped), true);
        check(&before, &seen(4, LastStatus::Stopped, DesiredStatus::Stopped), true);
    }

    #[test]
    fn no_member_may_fall_and_none_may_change_under_the_same_version() {
        let before = seen(3, LastStatus::Running, DesiredStatus::Stopped);
        check(&before, &seen(2, LastStatus::Running, DesiredStatus::Stopped), false);
        check(&before, &seen(4, LastStatus::Pending, DesiredStatus::Stopped), false);
        check(&before, &seen(4, LastStatus::Running, DesiredStatus::Running), false);
        check(&before, &seen(3, LastStatus::Stopped, DesiredStatus::Stopped), false);
    }

    #[test]
    fn one_version_has_one_content_and_no_task_changes_its_instance() {
        let before = seen(3, LastStatus::Running, DesiredStatus::Stopped);
        assert_eq!(before.contradiction(&before), None);
        let other_code = Seen { exit_codes: vec![Some(1)], ..before.clone() };
        assert!(other_code.contradiction(&before).is_some());
        let moved = Seen { instance: "j".into(), version: 9, ..before.clone() };
        assert!(moved.contradiction(&before).is_some());
    }
}
