//! Account settings: names, values and principals; and what short ARNs rule out.

use longshore_wire::Operation::{
    DeleteAccountSetting, ListAccountSettings, ListTagsForResource, PutAccountSetting,
    PutAccountSettingDefault, RegisterContainerInstance, RunTask, StartTask, TagResource,
};
use serde_json::{Value, json};

use super::{CLIENT, INVALID, SERIALIZATION, check, check_accepted, with, world};
use crate::harness::Machine;

const NAMES: &str = "name should be one of [serviceLongArnFormat,taskLongArnFormat,containerInstanceLongArnFormat,awsvpcTrunking,containerInsights,fargateFIPSMode,tagResourceAuthorization,fargateTaskRetirementWaitPeriod,guardDutyActivate,defaultLogDriverMode]";

#[tokio::test]
async fn a_setting_has_a_name_that_there_is() {
    let world = world().await;
    for operation in [PutAccountSetting, PutAccountSettingDefault, DeleteAccountSetting] {
        let value = json!({"value": "enabled"});
        let value = if operation == DeleteAccountSetting { json!({}) } else { value };
        let body = |name: Value| with(value.clone(), json!({"name": name}));
        check(
            &world,
            operation,
            &[
                (value.clone(), INVALID, "name can not be blank."),
                (body(json!("")), INVALID, "name can not be blank."),
                (body(json!("longArns")), INVALID, NAMES),
                (body(json!("TaskLongArnFormat")), INVALID, NAMES),
                (
                    body(json!(1)),
                    SERIALIZATION,
                    "NUMBER_VALUE cannot be converted to String (at name)",
                ),
            ],
        )
        .await;
    }
    check(&world, ListAccountSettings, &[(json!({"name": "longArns"}), INVALID, NAMES)]).await;
}

#[tokio::test]
async fn a_setting_has_a_value_that_can_be_honoured() {
    let world = world().await;
    let body = |name: &str, value: &str| json!({"name": name, "value": value});
    for operation in [PutAccountSetting, PutAccountSettingDefault] {
        let mut rows = vec![
            (json!({"name": "taskLongArnFormat"}), "value can not be blank.".to_owned()),
            (body("taskLongArnFormat", "on"), "value should be one of [enabled,disabled]".into()),
            (
                body("containerInsights", "yes"),
                "value should be one of [enhanced,enabled,disabled]".into(),
            ),
            (
                body("guardDutyActivate", "off"),
                "The account setting guardDutyActivate is managed by the service and can only be read."
                    .into(),
            ),
        ];
        for (name, value, here) in [
            ("containerInsights", "enabled", "disabled"),
            ("containerInsights", "enhanced", "disabled"),
            ("awsvpcTrunking", "enabled", "disabled"),
            ("fargateFIPSMode", "enabled", "disabled"),
            ("tagResourceAuthorization", "on", "off"),
            ("fargateTaskRetirementWaitPeriod", "0", "7"),
            ("fargateTaskRetirementWaitPeriod", "14", "7"),
            ("defaultLogDriverMode", "non-blocking", "blocking"),
        ] {
            rows.push((
                body(name, value),
                format!("Longshore cannot honour the value '{value}' of the account setting {name}. Here it is always '{here}'."),
            ));
        }
        for (body, message) in rows {
            check(&world, operation, &[(body, INVALID, &message)]).await;
        }
    }
}

#[tokio::test]
async fn the_root_is_the_only_principal() {
    let world = world().await;
    const MESSAGE: &str =
        "The only principal here is arn:aws:iam::111122223333:root. Leave principalArn out.";
    let user = json!({"principalArn": "arn:aws:iam::111122223333:user/ada"});
    let put = json!({"name": "taskLongArnFormat", "value": "enabled"});
    let name = json!({"name": "taskLongArnFormat"});
    for (operation, good) in
        [(PutAccountSetting, put), (DeleteAccountSetting, name), (ListAccountSettings, json!({}))]
    {
        check(&world, operation, &[(with(good.clone(), user.clone()), INVALID, MESSAGE)]).await;
        let root = json!({"principalArn": "arn:aws:iam::111122223333:root"});
        check_accepted(&world, operation, &[with(good, root)]).await;
    }
}

#[tokio::test]
async fn a_list_is_paged_by_ten_at_most() {
    let world = world().await;
    check(
        &world,
        ListAccountSettings,
        &[
            (json!({"value": "enabled"}), INVALID, "value needs the name of a setting beside it."),
            (json!({"maxResults": 0}), INVALID, "maxResults must be at least 1"),
            (json!({"maxResults": 11}), INVALID, "maxResults must be at most 10"),
            (json!({"nextToken": "x"}), INVALID, "Invalid token."),
            (
                json!({"effectiveSettings": "true"}),
                SERIALIZATION,
                "STRING_VALUE cannot be converted to Boolean (at effectiveSettings)",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_has_a_short_arn_has_no_tags() {
    let world = world().await;
    for name in ["taskLongArnFormat", "containerInstanceLongArnFormat"] {
        world.ask(PutAccountSetting, json!({"name": name, "value": "disabled"})).await;
    }
    let tags = json!([{"key": "a", "value": "b"}]);
    let add = |what: &str| {
        format!(
            "The new ARN and resource ID format must be enabled to {what}. Opt in to the new format and try again."
        )
    };
    let registration = Machine::default().registration();
    let tagged = with(registration.clone(), json!({"tags": tags}));
    let message = add("add tags to the container instance");
    check(&world, RegisterContainerInstance, &[(tagged, CLIENT, &message)]).await;
    let agent = world.join(&Machine::default()).await;
    let tagged = with(registration, json!({"tags": tags, "containerInstanceArn": agent.instance}));
    check(&world, RegisterContainerInstance, &[(tagged, CLIENT, &message)]).await;
    let run = json!({"taskDefinition": "job"});
    let start = with(run.clone(), json!({"containerInstances": [agent.instance]}));
    for (operation, good) in [(RunTask, run), (StartTask, start)] {
        let body = |members: Value| with(good.clone(), members);
        check(
            &world,
            operation,
            &[
                (body(json!({"tags": tags})), INVALID, &add("add tags to the task")),
                (
                    body(json!({"enableECSManagedTags": true})),
                    INVALID,
                    &add("add tags to the task"),
                ),
                (
                    body(json!({"propagateTags": "TASK_DEFINITION"})),
                    INVALID,
                    &add("propagate tags"),
                ),
            ],
        )
        .await;
    }
    let run = world.ask(RunTask, json!({"taskDefinition": "job"})).await;
    let id = |arn: &str| arn.rsplit('/').next().unwrap().replace('-', "");
    let task = id(run["tasks"][0]["taskArn"].as_str().unwrap());
    for (arn, what) in [
        (format!("task/default/{task}"), "task"),
        (format!("container-instance/default/{}", id(&agent.instance)), "container instance"),
    ] {
        let message = format!(
            "The specified {what} does not have the longArn format. Only {what}s created after opting in will have the new format."
        );
        let resource = json!({"resourceArn": format!("arn:aws:ecs:us-east-1:111122223333:{arn}")});
        let tag = with(resource.clone(), json!({"tags": tags}));
        check(&world, TagResource, &[(tag, INVALID, &message)]).await;
        check(&world, ListTagsForResource, &[(resource, INVALID, &message)]).await;
    }
}
