//! The table of references.

use super::*;

const ID: &str = "0b69d5c0d655469598cd5d2d526d9d5a";

fn owner() -> Owner {
    Owner { region: "us-east-1".into(), account: "123456789012".into() }
}

#[track_caller]
fn check_task(text: &str, expect: Result<(), &str>) {
    let found = task(text, &"default".parse().unwrap(), &owner());
    match expect {
        Ok(()) => assert_eq!(found.unwrap().to_string(), ID),
        Err(message) => assert_eq!(found.unwrap_err().to_string(), message),
    }
}

#[test]
fn a_task_is_named_by_id_or_by_an_arn_of_either_generation() {
    check_task(ID, Ok(()));
    check_task("0b69d5c0-d655-4695-98cd-5d2d526d9d5a", Ok(()));
    check_task(&format!("arn:aws:ecs:us-east-1:123456789012:task/{ID}"), Ok(()));
    check_task(&format!("arn:aws:ecs:us-east-1:123456789012:task/default/{ID}"), Ok(()));
}

#[test]
fn a_task_reference_that_cannot_be_one_is_refused() {
    check_task("nope", Err("Task Identifier is invalid"));
    check_task("", Err("Task Identifier is invalid"));
    check_task(
        "arn:aws:ecs:us-east-1:123456789012:cluster/default",
        Err("Unsupported resource type: cluster"),
    );
    check_task(
        &format!("arn:aws:ecs:us-east-1:999999999999:task/{ID}"),
        Err("Identifier is for 999999999999. Your accountId is 123456789012"),
    );
    check_task(
        &format!("arn:aws:ecs:us-east-1:123456789012:task/other/{ID}"),
        Err("Invalid identifier: Identifier is for cluster other. Your cluster is default"),
    );
    check_task("arn:aws:s3", Err("Unsupported resource type: arn:aws:s3"));
}

#[test]
fn no_cluster_means_the_default_one() {
    for text in [None, Some(""), Some("arn:aws:ecs:us-east-1:123456789012:cluster/default")] {
        assert_eq!(cluster(text, &owner()).unwrap().as_str(), "default");
    }
    assert_eq!(
        cluster(Some("a b"), &owner()).unwrap_err().to_string(),
        r"Cluster must match ^[a-zA-Z0-9\-_]{1,255}$, but was a b"
    );
}

#[track_caller]
fn check_definition(text: &str, expect: Result<(&str, Option<u32>), &str>) {
    let found = definition(text, &owner());
    match expect {
        Ok((family, revision)) => {
            let found = found.unwrap();
            assert_eq!((found.family.as_str(), found.revision), (family, revision));
        }
        Err(message) => assert_eq!(found.unwrap_err().to_string(), message),
    }
}

#[test]
fn a_task_definition_is_named_by_family_revision_or_arn() {
    check_definition("web", Ok(("web", None)));
    check_definition("web:3", Ok(("web", Some(3))));
    check_definition("task-definition/web:3", Ok(("web", Some(3))));
    check_definition(
        "arn:aws:ecs:us-east-1:123456789012:task-definition/web:3",
        Ok(("web", Some(3))),
    );
    for number in ["abc", "0", "", "+1", "-1", "99999999999"] {
        let message = format!("Invalid revision number. Number: {number}");
        check_definition(&format!("web:{number}"), Err(&message));
    }
    check_definition("we b", Err("Family contains invalid characters."));
}
