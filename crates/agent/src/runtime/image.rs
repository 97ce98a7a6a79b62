//! What Docker knows of an image.

use std::collections::HashSet;

use bollard::query_parameters::{ListContainersOptions, ListImagesOptions, RemoveImageOptions};

use super::daemon::{Answer, Daemon, answer};
use super::pull::split_reference;
use crate::images::Present;

/// What an image's name is in a list where it has none.
const NO_NAME: &str = "<none>:<none>";

impl Daemon {
    /// Whether the image is here. One of which the Engine does not say is not.
    pub(crate) async fn has_image(&self, image: &str) -> bool {
        matches!(answer(self.docker.inspect_image(image).await), Answer::Done(_))
    }

    /// All images, with whether there are containers of them; `None` if the Engine does not say.
    pub(crate) async fn images(&self) -> Option<Vec<Present>> {
        let all = ListContainersOptions { all: true, ..Default::default() };
        let images = answer(self.docker.list_images(None::<ListImagesOptions>).await);
        let containers = answer(self.docker.list_containers(Some(all)).await);
        let (Answer::Done(images), Answer::Done(containers)) = (images, containers) else {
            return None;
        };
        let in_use: HashSet<String> = containers.into_iter().filter_map(|it| it.image_id).collect();
        let present = images.into_iter().map(|it| Present {
            has_container: in_use.contains(&it.id),
            tags: it.repo_tags.into_iter().filter(|it| it != NO_NAME).collect(),
            id: it.id,
        });
        Some(present.collect())
    }

    /// The image of this name; `None` if it is not here, or the Engine does not say.
    pub(crate) async fn image(&self, name: &str) -> Option<Present> {
        match answer(self.docker.inspect_image(name).await) {
            Answer::Done(found) => Some(Present {
                id: found.id?,
                tags: found.repo_tags.unwrap_or_default(),
                has_container: false,
            }),
            Answer::Refused(_) | Answer::Away => None,
        }
    }

    /// Takes the names from the image, with which it goes; by its id if it has none. Never by force.
    ///
    /// # Errors
    /// The Engine's own words.
    pub(crate) async fn remove_image(&self, id: &str, tags: &[String]) -> Result<(), String> {
        let id = [id.to_owned()];
        for name in if tags.is_empty() { &id } else { tags } {
            let options = None::<RemoveImageOptions>;
            match answer(self.docker.remove_image(name, options, None).await) {
                Answer::Done(_) => {}
                Answer::Refused(refusal) if refusal.status == 404 => {}
                Answer::Refused(refusal) => return Err(refusal.text),
                Answer::Away => return Err("the Docker Engine does not answer".to_owned()),
            }
        }
        Ok(())
    }

    /// The digest under which the image's registry knows it; `None` for an image that came from no
    /// registry.
    pub(super) async fn image_digest(&self, image: Option<&str>) -> Option<String> {
        let image = image?;
        match answer(self.docker.inspect_image(image).await) {
            Answer::Done(found) => digest_of(image, &found.repo_digests.unwrap_or_default()),
            Answer::Refused(_) | Answer::Away => None,
        }
    }
}

/// Of the same image several repositories may have been pulled, and each calls it by a digest of
/// its own. Docker shortens the names of its own registry.
fn digest_of(image: &str, repo_digests: &[String]) -> Option<String> {
    let repository = match image.split_once('@') {
        Some((name, _)) => split_reference(name).0,
        None => split_reference(image).0,
    };
    let shortened = ["docker.io/", "index.docker.io/"]
        .iter()
        .find_map(|prefix| repository.strip_prefix(prefix))
        .unwrap_or(repository);
    let shortened = shortened.strip_prefix("library/").unwrap_or(shortened);
    let pairs = repo_digests.iter().filter_map(|it| it.split_once('@'));
    let mut named = pairs.filter(|(name, _)| *name == repository || *name == shortened);
    named.next().map(|(_, digest)| digest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(image: &str, repo_digests: &[&str], expect: Option<&str>) {
        let repo_digests: Vec<String> = repo_digests.iter().map(|it| (*it).to_owned()).collect();
        assert_eq!(digest_of(image, &repo_digests).as_deref(), expect, "{image}");
    }

    #[test]
    fn the_digest_is_that_of_the_images_own_repository() {
        let both = ["localhost:5000/busybox@sha256:1", "busybox@sha256:2"];
        check("localhost:5000/busybox:1.36", &both, Some("sha256:1"));
        check("busybox", &both, Some("sha256:2"));
        check("docker.io/library/busybox:latest", &both, Some("sha256:2"));
        check("busybox@sha256:2", &both, Some("sha256:2"));
        check("busybox:1@sha256:2", &both, Some("sha256:2"));
        check("other/busybox", &both, None);
    }

    #[test]
    fn an_image_that_came_from_no_registry_has_none() {
        check("made-here", &[], None);
    }
}
