//! What the agent has pulled, and which of it is to go.
//!
//! Only what was not there before the agent pulled it is the agent's to remove.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use longshore_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::ImageCleanup;

/// What survives a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// What was pulled, as task definitions name it.
    images: BTreeSet<String>,
    /// What the agent may remove, by Docker's id.
    #[serde(default)]
    ours: BTreeMap<String, Ours>,
}

/// An image that came by a pull of the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ours {
    /// As task definitions name it.
    names: BTreeSet<String>,
    /// As Docker names it since the pull.
    tags: BTreeSet<String>,
    pulled_at: Timestamp,
    /// To a round of clean-up: when it was last seen with a container, or wanted by a task.
    last_used_at: Timestamp,
}

/// An image that Docker has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Present {
    pub(crate) id: String,
    /// All of its names; none if another image has taken its last one.
    pub(crate) tags: Vec<String>,
    /// Whether there is a container of it, whoever's, running or not.
    pub(crate) has_container: bool,
}

/// An image to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Removal {
    pub(crate) id: String,
    /// Taken away one by one; Docker removes the image with the last one.
    pub(crate) tags: Vec<String>,
    /// As task definitions name it.
    pub(crate) names: Vec<String>,
}

impl Record {
    pub(crate) fn was_pulled(&self, name: &str) -> bool {
        self.images.contains(name)
    }

    /// A pull of the image succeeded. `before` is what Docker had before it, and `pulled` what it
    /// now has under the name; of either it may be that Docker did not say.
    pub(super) fn pulled(
        &mut self,
        name: &str,
        before: &Option<Vec<Present>>,
        pulled: Option<Present>,
        now: Timestamp,
    ) {
        self.images.insert(name.to_owned());
        let Some((before, pulled)) = before.as_ref().zip(pulled) else { return };
        if let Some(ours) = self.ours.get_mut(&pulled.id) {
            ours.names.insert(name.to_owned());
            ours.tags.extend(pulled.tags.into_iter().filter(|it| is_named(it, name)));
            (ours.pulled_at, ours.last_used_at) = (now, now);
        } else if !before.iter().any(|it| it.id == pulled.id) {
            let names = BTreeSet::from([name.to_owned()]);
            let tags = pulled.tags.into_iter().collect();
            let ours = Ours { names, tags, pulled_at: now, last_used_at: now };
            self.ours.insert(pulled.id, ours);
        }
    }

    /// Notes what is in use, and forgets what is gone.
    pub(super) fn look(
        &mut self,
        present: &[Present],
        wanted: &HashMap<String, usize>,
        now: Timestamp,
    ) {
        let by_id: HashMap<&str, &Present> =
            present.iter().map(|it| (it.id.as_str(), it)).collect();
        self.ours.retain(|id, _| by_id.contains_key(id.as_str()));
        for (id, ours) in &mut self.ours {
            let has_container = by_id.get(id.as_str()).is_some_and(|it| it.has_container);
            if has_container || ours.names.iter().any(|it| wanted.contains_key(it)) {
                ours.last_used_at = now;
            }
        }
    }

    /// What is to be removed now: images of ours that were pulled long enough ago, that have no
    /// container and no name of somebody else's, and that no task wants; the least recently used
    /// first, and not too many at a time.
    pub(super) fn due(
        &self,
        present: &[Present],
        wanted: &HashMap<String, usize>,
        cleanup: &ImageCleanup,
        now: Timestamp,
    ) -> Vec<Removal> {
        let age_millis = i64::try_from(cleanup.minimum_age.as_millis()).unwrap_or(i64::MAX);
        let is_old = |it: &Ours| now.millis().saturating_sub(it.pulled_at.millis()) >= age_millis;
        let mut due: Vec<(&Present, &Ours)> = present
            .iter()
            .filter_map(|it| Some((it, self.ours.get(&it.id)?)))
            .filter(|(present, ours)| {
                let is_wanted = ours.names.iter().any(|it| wanted.contains_key(it));
                let is_ours = present.tags.iter().all(|it| ours.tags.contains(it));
                !present.has_container && !is_wanted && is_ours && is_old(ours)
            })
            .collect();
        due.sort_by_key(|(present, ours)| (ours.last_used_at, &present.id));
        due.truncate(cleanup.most_per_cycle);
        let removal = |(present, ours): (&Present, &Ours)| Removal {
            id: present.id.clone(),
            tags: present.tags.clone(),
            names: ours.names.iter().cloned().collect(),
        };
        due.into_iter().map(removal).collect()
    }

    /// The image is gone.
    pub(super) fn removed(&mut self, removal: &Removal) {
        self.ours.remove(&removal.id);
        let names: HashSet<&String> = removal.names.iter().collect();
        self.images.retain(|it| !names.contains(it));
    }
}

/// Whether Docker's tag is the image's name in a task definition.
fn is_named(tag: &str, name: &str) -> bool {
    let shortened = ["docker.io/", "index.docker.io/"].iter().find_map(|it| name.strip_prefix(it));
    let name = shortened.unwrap_or(name);
    let name = name.strip_prefix("library/").unwrap_or(name);
    tag == name || tag.strip_suffix(":latest") == Some(name)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(minutes * 60_000)
    }

    fn present(id: &str, tags: &[&str]) -> Present {
        let tags = tags.iter().map(|it| (*it).to_owned()).collect();
        Present { id: id.to_owned(), tags, has_container: false }
    }

    /// Images that the agent pulled in this order, a minute after one another.
    fn record(names: &[&str]) -> Record {
        let mut record = Record::default();
        for (minute, name) in names.iter().enumerate() {
            let pulled = present(&format!("id of {name}"), &[name]);
            record.pulled(name, &Some(Vec::new()), Some(pulled), at(minute as i64));
        }
        record
    }

    fn all(names: &[&str]) -> Vec<Present> {
        names.iter().map(|it| present(&format!("id of {it}"), &[it])).collect()
    }

    fn cleanup() -> ImageCleanup {
        let (interval, minimum_age) = (Duration::from_secs(1800), Duration::from_secs(3600));
        ImageCleanup { interval, minimum_age, most_per_cycle: 2 }
    }

    #[track_caller]
    fn check(record: &Record, present: &[Present], wanted: &[&str], minute: i64, expect: &[&str]) {
        let wanted = wanted.iter().map(|it| ((*it).to_owned(), 1)).collect();
        let due = record.due(present, &wanted, &cleanup(), at(minute));
        let ids: Vec<&str> = due.iter().map(|it| &it.id["id of ".len()..]).collect();
        assert_eq!(ids, expect);
    }

    #[test]
    fn what_was_pulled_an_hour_ago_goes_the_oldest_first_and_few_at_a_time() {
        let names = ["b:1", "a:1", "c:1"];
        let record = record(&names);
        check(&record, &all(&names), &[], 59, &[]);
        check(&record, &all(&names), &[], 60, &["b:1"]);
        check(&record, &all(&names), &[], 90, &["b:1", "a:1"]);
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let names = ["a:1", "b:1", "c:1"];
        let (mut record, mut here) = (record(&names), all(&names));
        here[0].has_container = true;
        record.look(&here, &HashMap::from([("b:1".to_owned(), 1)]), at(50));
        here[0].has_container = false;
        check(&record, &here, &[], 90, &["c:1", "a:1"]);
    }

    #[test]
    fn what_has_a_container_or_is_wanted_by_a_task_stays() {
        let names = ["a:1", "b:1", "c:1"];
        let (record, mut here) = (record(&names), all(&names));
        here[0].has_container = true;
        check(&record, &here, &["b:1"], 90, &["c:1"]);
    }

    #[test]
    fn what_was_there_before_the_agent_pulled_it_stays() {
        let mut record = Record::default();
        let theirs = present("id of a:1", &["a:1"]);
        record.pulled("a:1", &Some(vec![theirs.clone()]), Some(theirs.clone()), at(0));
        check(&record, &[theirs], &[], 90, &[]);
        assert!(record.was_pulled("a:1"));
    }

    #[test]
    fn what_was_there_stays_where_docker_did_not_say_what_was() {
        let mut record = Record::default();
        let pulled = present("id of a:1", &["a:1"]);
        record.pulled("a:1", &None, Some(pulled.clone()), at(0));
        record.pulled("b:1", &Some(Vec::new()), None, at(0));
        check(&record, &[pulled], &[], 90, &[]);
    }

    #[test]
    fn what_somebody_else_has_named_since_stays() {
        let record = record(&["a:1"]);
        check(&record, &[present("id of a:1", &["a:1", "theirs:1"])], &[], 90, &[]);
        check(&record, &[present("id of a:1", &["a:1"])], &[], 90, &["a:1"]);
    }

    #[test]
    fn what_lost_its_name_to_a_newer_image_goes() {
        let record = record(&["a:1"]);
        check(&record, &[present("id of a:1", &[])], &[], 90, &["a:1"]);
    }

    #[test]
    fn a_second_name_that_the_agent_pulled_is_the_agents_too() {
        let mut record = record(&["a:1"]);
        let both = present("id of a:1", &["a:1", "b:latest"]);
        let before = Some(vec![present("id of a:1", &["a:1"])]);
        record.pulled("docker.io/library/b", &before, Some(both.clone()), at(30));
        check(&record, std::slice::from_ref(&both), &[], 89, &[]);
        check(&record, &[both], &[], 90, &["a:1"]);
    }

    #[test]
    fn what_is_gone_is_forgotten_and_is_pulled_anew_where_images_are_pulled_once() {
        let mut record = record(&["a:1", "b:1"]);
        let due = record.due(&all(&["a:1"]), &HashMap::new(), &cleanup(), at(90));
        record.removed(&due[0]);
        assert!(!record.was_pulled("a:1") && record.was_pulled("b:1"));
        record.look(&[], &HashMap::new(), at(90));
        check(&record, &all(&["a:1", "b:1"]), &[], 180, &[]);
    }

    #[test]
    fn the_record_of_an_agent_that_removed_none_is_read() {
        let record: Record = serde_json::from_str(r#"{"images":["a:1"]}"#).unwrap();
        assert!(record.was_pulled("a:1"));
    }
}
