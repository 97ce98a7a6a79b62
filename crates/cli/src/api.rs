//! `longshore api`: what this version has of the ECS API, printed from the tables that answer it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::Args;
use longshore_server::{Contract, Kind, Member, Structure, contract, is_without_effect};
use serde_json::{Value, json};

/// `longshore api`
#[derive(Args)]
pub(crate) struct Options {
    /// Only this operation, such as RunTask.
    #[arg(env = "LONGSHORE_API_OPERATION")]
    operation: Option<String>,

    /// Prints JSON, for programs.
    #[arg(long, env = "LONGSHORE_API_JSON")]
    json: bool,
}

/// Prints the operations with their members, and then each structure that the members hold.
pub(crate) fn print(options: &Options) -> anyhow::Result<()> {
    let mut contracts = contract();
    if let Some(wanted) = &options.operation {
        contracts.retain(|it| it.operation.name().eq_ignore_ascii_case(wanted));
        anyhow::ensure!(!contracts.is_empty(), "this version does not have the operation {wanted}");
    }
    if options.json {
        println!("{:#}", as_json(&contracts));
    } else {
        print!("{}", as_text(&contracts));
    }
    Ok(())
}

fn as_text(contracts: &[Contract]) -> String {
    let mut text = String::new();
    for contract in contracts {
        let _ = writeln!(text, "{}", contract.operation);
        write_members(&mut text, "takes", contract.request);
        if contract.passes_over_unknown_members {
            let _ = writeln!(text, "           and passes over what it does not know");
        }
        write_members(&mut text, "answers", contract.response);
        let _ = writeln!(text, "  refuses  {}\n", contract.exceptions.join(", "));
    }
    for structure in inner_structures(contracts) {
        let _ = writeln!(text, "{}", structure.name);
        write_members(&mut text, "", structure);
        text.push('\n');
    }
    text
}

fn write_members(text: &mut String, what: &str, structure: &'static Structure) {
    let width = structure.members.iter().map(|it| it.name.len()).max().unwrap_or(0);
    let mut what = what;
    for member in structure.members {
        let kind = words((member.kind)());
        let note = if is_without_effect(structure, member) { ", without effect" } else { "" };
        let _ = writeln!(text, "  {what:<8} {:<width$}  {kind}{note}", member.name);
        what = "";
    }
}

fn words(kind: Kind) -> String {
    match kind {
        Kind::List(element) => format!("list of {}", words(element())),
        Kind::Map(value) => format!("map of string to {}", words(value())),
        Kind::Structure(structure) => structure.name.into(),
        scalar => scalar_name(scalar).into(),
    }
}

fn scalar_name(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "string",
        Kind::Boolean => "boolean",
        Kind::Integer => "integer",
        Kind::Long => "long",
        Kind::Double => "double",
        Kind::Timestamp => "timestamp",
        Kind::List(_) => "list",
        Kind::Map(_) => "map",
        Kind::Structure(_) => "structure",
    }
}

fn as_json(contracts: &[Contract]) -> Value {
    let operation = |it: &Contract| {
        let value = json!({
            "request": it.request.name,
            "response": it.response.name,
            "exceptions": it.exceptions,
            "passesOverUnknownMembers": it.passes_over_unknown_members,
        });
        (it.operation.name(), value)
    };
    let outer = contracts.iter().flat_map(|it| [it.request, it.response]);
    let structures = outer.chain(inner_structures(contracts));
    json!({
        "operations": contracts.iter().map(operation).collect::<BTreeMap<_, _>>(),
        "structures": structures.map(|it| (it.name, members(it))).collect::<BTreeMap<_, _>>(),
    })
}

fn members(structure: &'static Structure) -> Value {
    let member = |it: &'static Member| {
        let mut value = kind_as_json((it.kind)());
        if is_without_effect(structure, it) {
            value["withoutEffect"] = true.into();
        }
        (it.name, value)
    };
    json!(structure.members.iter().map(member).collect::<BTreeMap<_, _>>())
}

fn kind_as_json(kind: Kind) -> Value {
    match kind {
        Kind::List(element) => json!({"type": "list", "member": kind_as_json(element())}),
        Kind::Map(value) => json!({"type": "map", "value": kind_as_json(value())}),
        Kind::Structure(structure) => json!({"type": "structure", "structure": structure.name}),
        scalar => json!({"type": scalar_name(scalar)}),
    }
}

/// What requests and responses hold, in the order of the names.
fn inner_structures(contracts: &[Contract]) -> Vec<&'static Structure> {
    let inner = |it: &'static Structure| it.reach().into_iter().skip(1);
    let all = contracts.iter().flat_map(|it| inner(it.request).chain(inner(it.response)));
    let by_name: BTreeMap<&str, &'static Structure> = all.map(|it| (it.name, it)).collect();
    by_name.into_values().collect()
}

#[cfg(test)]
mod readme;
