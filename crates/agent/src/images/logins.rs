//! Logins of the agent's own, from a file, in either of the forms that the official agent knows:
//! `docker`, with `username` and `password`, and `dockercfg`, with `auth`. Docker's own
//! `config.json`, with the latter below `auths`, is read too.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longshore_wire::Secret;
use serde::Deserialize;

use crate::engine::{Failure, Reason, RegistryLogin};

/// What Docker's own registry is called here, by whichever of its names a key has it.
const DOCKER_HUB: &str = "docker.io";
const NAMES_OF_DOCKER_HUB: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/// Where logins are. The file is read whenever an image is pulled, so passwords may change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logins {
    path: Option<PathBuf>,
}

/// Why the file is of no use. Nothing of its content is said.
#[derive(Debug, thiserror::Error)]
#[error("the registry logins in {path} cannot be used: {why}")]
pub struct LoginsError {
    path: String,
    why: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    OfDocker { auths: BTreeMap<String, Entry> },
    Plain(BTreeMap<String, Entry>),
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    auth: String,
}

impl Logins {
    /// # Errors
    /// If there is a file and it is of no use.
    pub(crate) fn open(path: Option<PathBuf>) -> Result<Self, LoginsError> {
        let logins = Self { path };
        logins.read()?;
        Ok(logins)
    }

    /// How to log in to the image's registry, if the file says so.
    ///
    /// # Errors
    /// The reason for the container that wants the image.
    pub(super) fn of(&self, image: &str) -> Result<Option<RegistryLogin>, Reason> {
        let logins = self.read();
        let logins = logins.map_err(|it| Failure::CannotPullContainerAuth.because(it))?;
        Ok(find(logins, image))
    }

    fn read(&self) -> Result<Vec<(String, RegistryLogin)>, LoginsError> {
        let Some(path) = &self.path else { return Ok(Vec::new()) };
        let failed = |why: String| LoginsError { path: path.display().to_string(), why };
        let permissions = fs::metadata(path).map_err(|it| failed(it.to_string()))?.permissions();
        if permissions.mode() & 0o007 != 0 {
            return Err(failed("everybody may read it; chmod 600 makes it yours".to_owned()));
        }
        let text = fs::read(path).map_err(|it| failed(it.to_string()))?;
        parse(&text).map_err(failed)
    }
}

/// Each login with the registry, or the beginning of images' names, that it is for.
fn parse(text: &[u8]) -> Result<Vec<(String, RegistryLogin)>, String> {
    let form = "it is not JSON of {\"HOST\": {\"username\": ..., \"password\": ...}} or of \
                {\"HOST\": {\"auth\": ...}}";
    // The error itself may quote the file.
    let content = serde_json::from_slice(text).map_err(|_| form.to_owned())?;
    let (Content::OfDocker { auths: entries } | Content::Plain(entries)) = content;
    entries
        .into_iter()
        // A credential helper's entry is empty.
        .filter(|(_, it)| !(it.username.is_empty() && it.auth.is_empty()))
        .map(|(key, entry)| {
            let no_login = || format!("the login for {key:?} is not the base64 of USER:PASSWORD");
            let login = read_entry(entry).ok_or_else(no_login)?;
            Ok((place_of(&key), login))
        })
        .collect()
}

fn read_entry(entry: Entry) -> Option<RegistryLogin> {
    if !entry.username.is_empty() {
        let password = Secret(entry.password);
        return Some(RegistryLogin { username: entry.username, password });
    }
    let text = String::from_utf8(STANDARD.decode(entry.auth.trim()).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    // Docker once padded it.
    let password = Secret(password.trim_end_matches('\0').to_owned());
    Some(RegistryLogin { username: username.to_owned(), password })
}

/// A key without scheme and version: `https://index.docker.io/v1/` is `docker.io`.
fn place_of(key: &str) -> String {
    let place = key.strip_prefix("https://").or(key.strip_prefix("http://")).unwrap_or(key);
    let place = place.trim_end_matches('/');
    let place = place.strip_suffix("/v1").or(place.strip_suffix("/v2")).unwrap_or(place);
    match place.split_once('/') {
        _ if NAMES_OF_DOCKER_HUB.contains(&place) => DOCKER_HUB.to_owned(),
        Some((host, rest)) if NAMES_OF_DOCKER_HUB.contains(&host) => {
            format!("{DOCKER_HUB}/{rest}")
        }
        _ => place.to_owned(),
    }
}

/// The login whose key has the most of the image's name.
fn find(logins: Vec<(String, RegistryLogin)>, image: &str) -> Option<RegistryLogin> {
    let whole = match image.split_once('/') {
        Some((host, rest)) if NAMES_OF_DOCKER_HUB.contains(&host) => format!("{DOCKER_HUB}/{rest}"),
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => image.to_owned(),
        _ => format!("{DOCKER_HUB}/{image}"),
    };
    let is_for = |key: &str| {
        let rest = whole.strip_prefix(key);
        rest.is_some_and(|it| it.is_empty() || it.starts_with(['/', ':', '@']))
    };
    let matching = logins.into_iter().filter(|(key, _)| is_for(key));
    matching.max_by_key(|(key, _)| key.len()).map(|(_, login)| login)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKER: &str = r#"{
        "https://index.docker.io/v1/": {"username": "hub", "password": "h", "email": "e@x"},
        "registry.example.com:5000": {"username": "all", "password": "a:b"},
        "registry.example.com:5000/team": {"username": "team", "password": "t"}
    }"#;

    #[track_caller]
    fn check(file: &str, image: &str, expect: Option<(&str, &str)>) {
        let login = find(parse(file.as_bytes()).unwrap(), image);
        let login = login.as_ref().map(|it| (it.username.as_str(), it.password.0.as_str()));
        assert_eq!(login, expect, "{image}");
    }

    #[test]
    fn the_longest_key_that_begins_the_name_wins() {
        check(DOCKER, "registry.example.com:5000/app:1", Some(("all", "a:b")));
        check(DOCKER, "registry.example.com:5000/team/app", Some(("team", "t")));
        check(DOCKER, "registry.example.com:5000/teams/app", Some(("all", "a:b")));
        check(DOCKER, "registry.example.com/app", None);
    }

    #[test]
    fn a_name_without_a_host_is_docker_hubs() {
        check(DOCKER, "busybox", Some(("hub", "h")));
        check(DOCKER, "someone/app@sha256:0", Some(("hub", "h")));
        check(DOCKER, "docker.io/library/busybox:1", Some(("hub", "h")));
    }

    #[test]
    fn the_form_dockercfg_is_read_and_dockers_own_file() {
        let auth = STANDARD.encode("me:pass:word");
        let plain = format!(r#"{{"localhost:5000": {{"auth": "{auth}", "email": ""}}}}"#);
        check(&plain, "localhost:5000/app", Some(("me", "pass:word")));
        let auths = format!(r#"{{"auths": {plain}, "credsStore": "x"}}"#);
        check(&auths, "localhost:5000/app", Some(("me", "pass:word")));
        check(r#"{"auths": {"localhost:5000": {}}}"#, "localhost:5000/app", None);
        check("{}", "busybox", None);
    }

    #[test]
    fn what_cannot_be_read_is_said_without_its_content() {
        for file in ["hunter2", r#"{"h": "hunter2"}"#, r#"{"h": {"auth": "hunter2!"}}"#] {
            let error = parse(file.as_bytes()).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_file_that_everybody_may_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("logins.json");
        fs::write(&path, DOCKER).unwrap();
        let mode = |it| fs::set_permissions(&path, fs::Permissions::from_mode(it)).unwrap();
        mode(0o644);
        let error = Logins::open(Some(path.clone())).unwrap_err().to_string();
        assert!(error.contains("everybody may read it"), "{error}");
        mode(0o600);
        let logins = Logins::open(Some(path.clone())).unwrap();
        assert_eq!(logins.of("busybox").unwrap().unwrap().username, "hub");
        fs::write(&path, r#"{"docker.io": {"username": "new", "password": ""}}"#).unwrap();
        assert_eq!(logins.of("busybox").unwrap().unwrap().username, "new");
        fs::remove_file(&path).unwrap();
        let reason = logins.of("busybox").unwrap_err();
        assert!(reason.as_str().starts_with("CannotPullContainerAuthError: "), "{reason}");
    }
}
