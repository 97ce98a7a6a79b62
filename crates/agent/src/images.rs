//! Which images this agent has pulled, where it is to pull each only once.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, PoisonError};

use longshore_model::Timestamp;
use tracing::error;

use crate::config::ImagePullBehavior;
use crate::engine::{Reason, RegistryLogin};
use crate::files::Files;
use crate::runtime::Daemon;
use crate::system::now;

/// Pulls for all tasks.
#[derive(Debug)]
pub(crate) struct Images {
    files: Files,
    /// Images as task definitions name them. `None` where every wish for a pull is one.
    pulled: Option<Mutex<BTreeSet<String>>>,
}

/// What came of a wish for an image.
#[derive(Debug)]
pub(crate) struct Pull {
    /// When the pull began; `None` if there was nothing to pull.
    pub(crate) started_at: Option<Timestamp>,
    /// Why it failed, if it did.
    pub(crate) outcome: Result<(), Reason>,
}

impl Images {
    pub(crate) fn open(files: Files, behavior: ImagePullBehavior) -> io::Result<Self> {
        let pulled = match behavior {
            ImagePullBehavior::Once => Some(Mutex::new(files.pulled_images()?)),
            ImagePullBehavior::Default
            | ImagePullBehavior::Always
            | ImagePullBehavior::PreferCached => None,
        };
        Ok(Self { files, pulled })
    }

    /// Gets the image from its registry, unless it was got before and is still there.
    pub(crate) async fn pull(
        &self,
        daemon: &Daemon,
        image: &str,
        login: Option<&RegistryLogin>,
    ) -> Pull {
        if self.was_pulled(image) && daemon.has_image(image).await {
            return Pull { started_at: None, outcome: Ok(()) };
        }
        let started_at = Some(now());
        let outcome = daemon.pull(image, login).await;
        if outcome.is_ok() {
            self.remember(image);
        }
        Pull { started_at, outcome }
    }

    fn was_pulled(&self, image: &str) -> bool {
        let pulled = self.pulled.as_ref();
        pulled.is_some_and(|it| it.lock().unwrap_or_else(PoisonError::into_inner).contains(image))
    }

    fn remember(&self, image: &str) {
        let Some(pulled) = &self.pulled else { return };
        let mut pulled = pulled.lock().unwrap_or_else(PoisonError::into_inner);
        if pulled.insert(image.to_owned())
            && let Err(error) = self.files.save_pulled_images(&pulled)
        {
            error!(%error, image, "it is not on file that the image was pulled");
        }
    }
}
