//! The rules of the house that no compiler checks: which crate may use which, no file that leads
//! out of the repository, no file that is too long.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// A file of this many lines holds more than one idea.
const TOO_LONG: usize = 600;

/// Files longer than this are data.
const MAX_BYTES: u64 = 1024 * 1024;

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("crates/sim is two below the root").to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The folders in `crates`, which are named as the crates are.
fn crates() -> BTreeSet<String> {
    let entries = fs::read_dir(root().join("crates")).unwrap();
    let folders = entries.map(Result::unwrap).filter(|it| it.path().join("Cargo.toml").exists());
    folders.map(|it| it.file_name().into_string().unwrap()).collect()
}

/// The words between backticks.
fn names(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What each crate may use, as the table "The crates" in ARCHITECTURE.md has it.
fn allowed(architecture: &str, crates: &BTreeSet<String>) -> BTreeMap<String, BTreeSet<String>> {
    let mut allowed = BTreeMap::new();
    for line in architecture.lines().filter(|it| it.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, name, _duty, uses, ..] = *cells.as_slice() else { continue };
        let Some(name) = names(name).pop_first() else { continue };
        let uses = match uses.strip_prefix("all but") {
            Some(but) => {
                crates.difference(&names(but)).filter(|it| **it != name).cloned().collect()
            }
            None => names(uses),
        };
        allowed.insert(name, uses);
    }
    allowed
}

/// Our crates that a manifest names as dependencies. What tests use beside is free.
fn used(manifest: &str) -> BTreeSet<String> {
    let is_ours = |line: &str| {
        let name = line.trim().trim_matches('"').strip_prefix("longshore-")?;
        let end = name.find(|it: char| !it.is_ascii_alphanumeric() && it != '-' && it != '_');
        Some(name[..end.unwrap_or(name.len())].to_owned())
    };
    let (mut used, mut counts) = (BTreeSet::new(), false);
    for line in manifest.lines() {
        if let Some(section) = line.trim().strip_prefix('[') {
            let section = section.trim_matches(['[', ']']);
            let (table, entry) = match section.rsplit_once("dependencies.") {
                Some((before, entry)) => (format!("{before}dependencies"), Some(entry)),
                None => (section.to_owned(), None),
            };
            counts = table.ends_with("dependencies") && !table.ends_with("dev-dependencies");
            used.extend(entry.filter(|_| counts).and_then(is_ours));
            counts &= entry.is_none();
        } else if counts {
            used.extend(is_ours(line));
        }
    }
    used
}

#[test]
fn crates_use_only_those_that_the_architecture_lets_them() {
    let crates = crates();
    let allowed = allowed(&read(&root().join("ARCHITECTURE.md")), &crates);
    let rows: BTreeSet<String> = allowed.keys().cloned().collect();
    assert_eq!(rows, crates, "the table in ARCHITECTURE.md and the folders in crates");
    for name in &crates {
        let used = used(&read(&root().join("crates").join(name).join("Cargo.toml")));
        let forbidden: Vec<_> = used.difference(&allowed[name]).collect();
        assert!(
            forbidden.is_empty(),
            "{name} uses {forbidden:?}, which the table in ARCHITECTURE.md lacks"
        );
    }
}

#[test]
fn manifests_and_tables_are_read_right() {
    let manifest = "
        [dependencies]
        longshore-a.workspace = true
        longshore-b-c = { path = \"x\" }
        serde = \"1\"
        [dev-dependencies]
        longshore-d.workspace = true
        [target.'cfg(unix)'.dependencies]
        longshore-e.workspace = true
        [dependencies.longshore-f]
        path = \"longshore-g\"
        [features]
        x = [\"longshore-h\"]";
    assert_eq!(used(manifest), ["a", "b-c", "e", "f"].map(str::to_owned).into());
    let crates = ["a", "b", "sim"].map(str::to_owned).into();
    let table = "| crate | duty | uses |\n| --- | --- | --- |\n| `a` | `x` | nothing | |\n\
                 | `b` | | `a` | |\n| `sim` | | all but `b` | |";
    let table = allowed(table, &crates);
    assert_eq!(table["a"], BTreeSet::new());
    assert_eq!(table["b"], ["a".to_owned()].into());
    assert_eq!(table["sim"], ["a".to_owned()].into());
}

/// Every file of the repository that is text, with its path below the root.
fn texts() -> Vec<(PathBuf, String)> {
    let (root, mut texts, mut folders) = (root(), Vec::new(), vec![PathBuf::new()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).unwrap().map(Result::unwrap) {
            let (name, kind) = (entry.file_name(), entry.file_type().unwrap());
            let is_made = matches!(name.to_str(), Some("target" | "__pycache__" | "node_modules"));
            if is_made || name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let path = folder.join(&name);
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file()
                && entry.metadata().is_ok_and(|it| it.len() < MAX_BYTES)
                && let Ok(text) = fs::read_to_string(root.join(&path))
            {
                texts.push((path, text));
            }
        }
    }
    texts
}

/// The paths in a text that begin with `..`.
fn upward_paths(text: &str) -> impl Iterator<Item = &str> {
    let is_of_path = |it: char| it.is_ascii_alphanumeric() || "._-/".contains(it);
    text.split(move |it: char| !is_of_path(it)).filter(|it| it.starts_with("../"))
}

/// Where a path leads from a folder below the root; `None` where it leads out.
fn resolved(folder: &Path, path: &str) -> Option<PathBuf> {
    let mut resolved = folder.to_owned();
    for component in Path::new(path).components() {
        match component {
            Component::ParentDir if resolved.pop() => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
            Component::Normal(name) => resolved.push(name),
            Component::CurDir => {}
        }
    }
    Some(resolved)
}

#[test]
fn no_file_names_a_path_that_leads_out_of_the_repository() {
    let root = root();
    for (file, text) in texts() {
        let folder = file.parent().unwrap_or(Path::new(""));
        for path in upward_paths(&text) {
            let path = path.trim_end_matches(['.', '-']);
            let is_there = resolved(folder, path).is_some_and(|it| root.join(it).exists());
            assert!(is_there, "{} names {path}, which is not in the repository", file.display());
        }
    }
}

#[test]
fn a_path_that_leads_out_is_seen() {
    let text = format!("see {0}elsewhere/x.md, \"a/{0}b\" and ({0}crates)", "../");
    let paths: Vec<&str> = upward_paths(&text).collect();
    assert_eq!(paths.len(), 2);
    assert_eq!(resolved(Path::new(""), paths[0]), None);
    assert_eq!(resolved(Path::new("docs"), paths[1]), Some("crates".into()));
}

#[test]
fn no_source_file_is_too_long() {
    for (file, text) in texts() {
        let parts: Vec<_> = file.iter().filter_map(|it| it.to_str()).collect();
        let is_source = matches!(parts.as_slice(), ["crates", _, "src", ..]);
        let lines = text.lines().count();
        assert!(
            !is_source || lines < TOO_LONG,
            "{} has {lines} lines: look for the second idea in it",
            file.display()
        );
    }
}
