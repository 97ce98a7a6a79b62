use std::fs;
use std::path::{Path, PathBuf};

use longshore_wire::Structure;

use super::*;

/// The text of each file by which requests are read.
fn sources() -> Vec<String> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api")];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().and_then(|it| it.to_str()).unwrap_or_default();
            match name {
                "contract" | "render" | "tests" => {}
                _ if path.is_dir() => folders.push(path),
                _ => files.push(path),
            }
        }
    }
    files.iter().map(|it| fs::read_to_string(it).unwrap()).collect()
}

/// Whether the text has the word.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |it: char| it.is_ascii_alphanumeric() || it == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part)
    })
}

/// Whether the text takes the field of something.
fn takes(text: &str, field: &str) -> bool {
    text.match_indices(&format!(".{field}")).any(|(at, taken)| {
        !text[at + taken.len()..].starts_with(|it: char| it.is_ascii_alphanumeric() || it == '_')
    })
}

/// Whether a file that names the structure takes the field; any file where none names it.
fn is_read(structure: &Structure, field: &str, sources: &[String]) -> bool {
    let mut naming = sources.iter().filter(|it| has_word(it, structure.name)).peekable();
    match naming.peek() {
        Some(_) => naming.any(|it| takes(it, field)),
        None => sources.iter().any(|it| takes(it, field)),
    }
}

/// Each structure that a request holds, once.
fn request_structures() -> Vec<&'static Structure> {
    let mut all: Vec<_> = contract().iter().flat_map(|it| it.request.reach()).collect();
    all.sort_by_key(|it| it.name);
    all.dedup_by_key(|it| it.name);
    all
}

#[test]
fn every_member_of_every_request_is_read() {
    let sources = sources();
    let (mut ignored, mut excused) = (Vec::new(), Vec::new());
    for structure in request_structures() {
        for member in structure.members {
            let name = format!("{}.{}", structure.name, member.name);
            match (is_read(structure, member.field, &sources), is_without_effect(structure, member))
            {
                (false, false) => ignored.push(name),
                (true, true) => excused.push(name),
                _ => {}
            }
        }
    }
    assert!(ignored.is_empty(), "taken from callers and never looked at: {ignored:?}");
    assert!(excused.is_empty(), "said to be without effect, and yet looked at: {excused:?}");
}

#[test]
fn what_is_said_to_be_without_effect_exists() {
    let structures = request_structures();
    for (name, members) in WITHOUT_EFFECT {
        let structure = structures.iter().find(|it| it.name == *name);
        let structure = structure.unwrap_or_else(|| panic!("no request holds a {name}"));
        for member in *members {
            assert!(structure.members.iter().any(|it| it.name == *member), "{name}.{member}");
        }
    }
}

#[test]
fn one_name_means_one_structure() {
    let all = contract().into_iter().flat_map(|it| [it.request.reach(), it.response.reach()]);
    let mut all: Vec<_> = all.flatten().collect();
    all.sort_by_key(|it| it.name);
    for pair in all.windows(2) {
        let same_name = pair[0].name == pair[1].name;
        assert_eq!(same_name, std::ptr::eq(pair[0], pair[1]), "{}", pair[0].name);
    }
}
