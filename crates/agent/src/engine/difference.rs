//! What a manifest lists, held against what the agent has.

use std::collections::HashSet;

use longshore_model::DesiredStatus;
use longshore_wire::acs::TaskManifestMessage;

/// Tasks that one side knows of and the other does not, by ARN.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// They are meant to run here, and the manifest does not list them.
    pub surplus: Vec<String>,
    /// The manifest lists them, and they are not here at all.
    pub missing: Vec<String>,
}

impl Difference {
    /// Of all that the agent has, each by its ARN and with what is meant for it.
    pub fn of<'a>(
        manifest: &TaskManifestMessage,
        here: impl IntoIterator<Item = (&'a str, DesiredStatus)>,
    ) -> Self {
        let is_to_run = |it: &str| DesiredStatus::parse(it) != Some(DesiredStatus::Stopped);
        let listed = manifest.tasks.iter().filter(|it| is_to_run(&it.desired_status));
        let mut missing: HashSet<&str> = listed.map(|it| it.task_arn.as_str()).collect();
        let mut surplus = Vec::new();
        for (arn, desired) in here {
            if !missing.remove(arn) && desired == DesiredStatus::Running {
                surplus.push(arn.to_owned());
            }
        }
        let mut missing: Vec<String> = missing.into_iter().map(str::to_owned).collect();
        surplus.sort();
        missing.sort();
        Self { surplus, missing }
    }
}

#[cfg(test)]
mod tests {
    use longshore_wire::acs::ManifestTask;

    use super::*;

    #[test]
    fn what_one_side_lacks_is_found() {
        let task = |arn: &str, desired: &str| ManifestTask {
            task_arn: arn.to_owned(),
            desired_status: desired.to_owned(),
            ..ManifestTask::default()
        };
        let tasks = vec![
            task("both", "RUNNING"),
            task("new", "RUNNING"),
            task("ended", "RUNNING"),
            task("dead", "STOPPED"),
        ];
        let manifest = TaskManifestMessage { tasks, ..TaskManifestMessage::default() };
        let here = [
            ("both", DesiredStatus::Running),
            ("old", DesiredStatus::Running),
            ("ended", DesiredStatus::Stopped),
            ("dead", DesiredStatus::Running),
            ("gone", DesiredStatus::Stopped),
        ];
        let expected = Difference {
            surplus: vec!["dead".to_owned(), "old".to_owned()],
            missing: vec!["new".to_owned()],
        };
        assert_eq!(Difference::of(&manifest, here), expected);
    }
}
