//! Images: got from their registries, each once for all who want it at a time, and removed when they
//! are of no use any more.

mod cleanup;
mod logins;
mod record;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use longshore_model::Timestamp;
use tokio::sync::RwLock;
use tracing::error;

use crate::config::{ImageCleanup, ImagePullBehavior};
use crate::engine::{Reason, RegistryLogin, TaskSpec};
use crate::files::Files;
use crate::runtime::Daemon;
use crate::system::now;

pub(crate) use logins::Logins;
pub use logins::LoginsError;
pub(crate) use record::{Present, Record};

/// Pulls for all tasks, and what was pulled.
#[derive(Debug)]
pub(crate) struct Images {
    daemon: Daemon,
    files: Files,
    behavior: ImagePullBehavior,
    logins: Logins,
    cleanup: Option<ImageCleanup>,
    /// What is on file.
    record: Mutex<Record>,
    under_way: Mutex<Vec<(Wish, WeakShared<Pulling>)>>,
    /// How many tasks name each image, as long as the agent knows them.
    wanted: Mutex<HashMap<String, usize>>,
    /// Held while an image is removed. Whoever wants it and comes in time is counted in `wanted`;
    /// whoever comes later waits here, and finds it gone.
    removal: RwLock<()>,
}

/// Ends when nobody waits for it any more.
type Pulling = BoxFuture<'static, Result<(), Reason>>;

/// Pulls are the same only with the same login: of two, one may be good and the other not.
#[derive(Clone, Debug, PartialEq)]
struct Wish {
    image: String,
    login: Option<RegistryLogin>,
}

/// What came of a wish for an image.
#[derive(Debug)]
pub(crate) struct Pull {
    /// When the pull began; `None` if there was nothing to pull.
    pub(crate) started_at: Option<Timestamp>,
    /// Why it failed, if it did.
    pub(crate) outcome: Result<(), Reason>,
}

/// As long as this is there, no image of the task is removed.
#[derive(Debug)]
pub(crate) struct Wanted {
    images: Arc<Images>,
    names: Vec<String>,
}

impl Images {
    /// `cleanup` is `None` where images are left alone.
    pub(crate) fn open(
        daemon: Daemon,
        files: Files,
        behavior: ImagePullBehavior,
        logins: Logins,
        cleanup: Option<ImageCleanup>,
    ) -> io::Result<Arc<Self>> {
        let record = Mutex::new(files.pulled_images()?);
        let (under_way, wanted, removal) = Default::default();
        Ok(Arc::new(Self {
            daemon,
            files,
            behavior,
            logins,
            cleanup,
            record,
            under_way,
            wanted,
            removal,
        }))
    }

    /// Gets the image from its registry, unless it was got before and is still there where it is to
    /// be got only once. The login of the agent's own is used where the task has none.
    pub(crate) async fn pull(self: &Arc<Self>, image: &str, login: Option<&RegistryLogin>) -> Pull {
        {
            let _not_being_removed = self.removal.read().await;
            let is_enough = self.behavior == ImagePullBehavior::Once
                && lock(&self.record).was_pulled(image)
                && self.daemon.has_image(image).await;
            if is_enough {
                return Pull { started_at: None, outcome: Ok(()) };
            }
        }
        let started_at = Some(now());
        let login = match login {
            Some(login) => Ok(Some(login.clone())),
            None => self.logins.of(image),
        };
        let outcome = match login {
            Ok(login) => self.join(Wish { image: image.to_owned(), login }).await,
            Err(reason) => Err(reason),
        };
        Pull { started_at, outcome }
    }

    /// Keeps the task's images from being removed.
    pub(crate) fn want(self: &Arc<Self>, task: &TaskSpec) -> Wanted {
        let names: Vec<String> = task.containers.iter().map(|it| it.image.clone()).collect();
        let mut wanted = lock(&self.wanted);
        for name in &names {
            *wanted.entry(name.clone()).or_default() += 1;
        }
        drop(wanted);
        Wanted { images: self.clone(), names }
    }

    /// The pull of this wish: one that is under way, or a new one.
    fn join(self: &Arc<Self>, wish: Wish) -> Shared<Pulling> {
        let mut under_way = lock(&self.under_way);
        // What is over is not joined: its image may have changed in the registry.
        under_way.retain(|(_, it)| it.upgrade().is_some_and(|it| it.peek().is_none()));
        let same = under_way.iter().find(|(other, _)| *other == wish);
        if let Some(pulling) = same.and_then(|(_, it)| it.upgrade()) {
            return pulling;
        }
        let (images, wanted) = (self.clone(), wish.clone());
        let pulling: Shared<Pulling> =
            async move { images.pull_now(&wanted).await }.boxed().shared();
        under_way.extend(pulling.downgrade().map(|it| (wish, it)));
        pulling
    }

    async fn pull_now(&self, wish: &Wish) -> Result<(), Reason> {
        let before = self.daemon.images().await;
        self.daemon.pull(&wish.image, wish.login.as_ref()).await?;
        let pulled = self.daemon.image(&wish.image).await;
        let mut record = lock(&self.record);
        record.pulled(&wish.image, &before, pulled, now());
        self.save(&record, &wish.image);
        Ok(())
    }

    fn save(&self, record: &Record, image: &str) {
        if let Err(error) = self.files.save_pulled_images(record) {
            error!(%error, image, "what became of the image is not on file");
        }
    }
}

impl Drop for Wanted {
    fn drop(&mut self) {
        let mut wanted = lock(&self.images.wanted);
        for name in &self.names {
            if let Some(count) = wanted.get_mut(name) {
                *count -= 1;
                if *count == 0 {
                    wanted.remove(name);
                }
            }
        }
    }
}

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}
