//! Removing images that are of no use any more, every now and then.

use std::sync::Arc;

use tracing::{info, warn};

use super::record::Removal;
use super::{Images, lock};
use crate::config::ImageCleanup;
use crate::system::now;

impl Images {
    /// Never returns.
    pub(crate) async fn keep_tidy(self: Arc<Self>) {
        let Some(cleanup) = &self.cleanup else { return std::future::pending().await };
        loop {
            tokio::time::sleep(cleanup.interval).await;
            self.tidy(cleanup).await;
        }
    }

    async fn tidy(&self, cleanup: &ImageCleanup) {
        // A Docker Engine that is away is asked the next time.
        let Some(present) = self.daemon.images().await else { return };
        let due = {
            let (mut record, wanted) = (lock(&self.record), lock(&self.wanted));
            let before = record.clone();
            record.look(&present, &wanted, now());
            if *record != before {
                self.save(&record, "");
            }
            record.due(&present, &wanted, cleanup, now())
        };
        for removal in due {
            self.remove(&removal).await;
        }
    }

    async fn remove(&self, removal: &Removal) {
        let _nobody_looks_whether_it_is_there = self.removal.write().await;
        let is_wanted = {
            let wanted = lock(&self.wanted);
            removal.names.iter().any(|it| wanted.contains_key(it))
        };
        if is_wanted {
            return;
        }
        let names = removal.names.join(", ");
        match self.daemon.remove_image(&removal.id, &removal.tags).await {
            Ok(()) => {
                info!(image = names, "removed: no task has used it for a while");
                let mut record = lock(&self.record);
                record.removed(removal);
                self.save(&record, &names);
            }
            Err(error) => warn!(image = names, error, "the image cannot be removed: leaving it"),
        }
    }
}
