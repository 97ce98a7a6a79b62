//! The README's table of operations says what the code does.

use std::fmt::Write as _;
use std::path::Path;

use super::*;

const BEGIN: &str = "<!-- operations: from the code, see crates/cli/src/api/readme.rs -->\n";
const END: &str = "<!-- end of operations -->\n";

#[test]
fn the_readme_lists_what_there_is() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2).expect("crates/cli is two below the root");
    let path = root.join("README.md");
    let written = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = written.split_once(BEGIN).expect("the table's begin");
    let (_, after) = rest.split_once(END).expect("the table's end");
    let current = format!("{before}{BEGIN}{}{END}{after}", table(&contract()));
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, current).unwrap();
        return;
    }
    assert!(
        written == current,
        "README.md does not list what there is. Bring it up to date:\n    \
         UPDATE_README=1 cargo test -p longshore-cli the_readme_lists_what_there_is"
    );
}

/// The operations with the members they take, then the structures that those hold.
fn table(contracts: &[Contract]) -> String {
    let mut text = String::from("\n| operation | members it takes |\n| --- | --- |\n");
    for contract in contracts {
        let _ = writeln!(text, "| {} | {} |", contract.operation, member_names(contract.request));
    }
    let _ = writeln!(text, "\n| in requests | members |\n| --- | --- |");
    let inner = contracts.iter().flat_map(|it| it.request.reach().into_iter().skip(1));
    let inner: BTreeMap<&str, &'static Structure> = inner.map(|it| (it.name, it)).collect();
    for (name, structure) in inner {
        let _ = writeln!(text, "| {name} | {} |", member_names(structure));
    }
    text.push('\n');
    text
}

fn member_names(structure: &'static Structure) -> String {
    let members = structure.members.iter().filter(|it| !is_without_effect(structure, it));
    let names: Vec<String> = members.map(|it| format!("`{}`", it.name)).collect();
    if names.is_empty() { "(none that matters)".into() } else { names.join(", ") }
}
