//! Task definitions: a revision says for ever what it said at first, and no number is given twice.

use longshore_model::{DefinitionStatus, TaskDefinition};
use longshore_store::State;

use super::{Checks, Violation, hold};

impl Checks {
    /// A change of a definition.
    pub(super) fn definition(
        &mut self,
        before: Option<&TaskDefinition>,
        after: Option<&TaskDefinition>,
    ) -> Result<(), Violation> {
        match (before, after) {
            (None, None) => Ok(()),
            (None, Some(definition)) => {
                let key = &definition.key;
                let highest = self.revisions.insert(key.family.clone(), key.revision).unwrap_or(0);
                hold(key.revision == highest + 1, || {
                    format!("{key} was registered when {highest} was the highest revision")
                })
            }
            (Some(before), Some(after)) => {
                let key = &after.key;
                hold(content(before) == content(after), || format!("{key} became another"))?;
                let is_forward = matches!(
                    (before.status, after.status),
                    (DefinitionStatus::Active, DefinitionStatus::Inactive)
                        | (DefinitionStatus::Inactive, DefinitionStatus::DeleteInProgress)
                );
                hold(is_forward, || {
                    format!("{key} goes from {:?} to {:?}", before.status, after.status)
                })
            }
            (Some(before), None) => {
                hold(before.status == DefinitionStatus::DeleteInProgress, || {
                    format!("{} is gone, and was not deleted", before.key)
                })
            }
        }
    }

    /// Notes what revisions there are: the restart may have brought one.
    pub(super) fn note_revisions(&mut self, state: &State) {
        for definition in state.definitions() {
            let highest = self.revisions.entry(definition.key.family.clone()).or_default();
            *highest = (*highest).max(definition.key.revision);
        }
    }
}

/// All that stays.
fn content(definition: &TaskDefinition) -> TaskDefinition {
    TaskDefinition { status: DefinitionStatus::Active, deregistered_at: None, ..definition.clone() }
}
