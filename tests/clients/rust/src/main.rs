//! One task from its definition to its end, by `aws-sdk-ecs` as it comes.
//!
//! The endpoint and the credentials come from the environment, as `longshore env` prints them.
//! Ends with 0 when everything was as it should be; panics with what was not.

use std::env;
use std::time::Duration;

use aws_sdk_ecs::client::Waiters;
use aws_sdk_ecs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_ecs::types::{
    ContainerDefinition, ContainerOverride, DesiredStatus, KeyValuePair, LaunchType, Tag,
    TaskDefinitionField, TaskDefinitionStatus, TaskField, TaskOverride, TaskStopCode,
};
use aws_sdk_ecs::{Client, Config};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let ecs = Client::from_conf(config());
    let family = env::args().nth(1).ok_or("usage: longshore-client-rust FAMILY IMAGE")?;
    let image = env::args().nth(2).ok_or("usage: longshore-client-rust FAMILY IMAGE")?;

    let definition = register(&ecs, &family, &image).await?;
    let task = run(&ecs, &definition).await?;
    running(&ecs, &task).await?;
    pages(&ecs, &family, &task).await?;
    stopped(&ecs, &task).await?;
    errors(&ecs).await;
    deregister(&ecs, &definition).await
}

fn config() -> Config {
    let variable = |name: &str| env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let (key, secret) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"));
    Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(variable("AWS_ENDPOINT_URL_ECS"))
        .region(Region::new(variable("AWS_DEFAULT_REGION")))
        .credentials_provider(Credentials::new(key, secret, None, None, "environment"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}

async fn register(ecs: &Client, family: &str, image: &str) -> Outcome<String> {
    let container = ContainerDefinition::builder()
        .name("main")
        .image(image)
        .memory(64)
        .command("sleep")
        .command("600")
        .build();
    let answer = ecs
        .register_task_definition()
        .family(family)
        .container_definitions(container)
        .tags(tag("team", "blue"))
        .send()
        .await?;
    let arn = answer.task_definition().and_then(|it| it.task_definition_arn()).ok_or("no ARN")?;

    let described = ecs
        .describe_task_definition()
        .task_definition(family)
        .include(TaskDefinitionField::Tags)
        .send()
        .await?;
    assert_eq!(described.tags(), [tag("team", "blue")]);
    let definition = described.task_definition().ok_or("no definition")?;
    assert_eq!(definition.task_definition_arn(), Some(arn));
    assert_eq!(definition.status(), Some(&TaskDefinitionStatus::Active));
    Ok(arn.into())
}

async fn run(ecs: &Client, definition: &str) -> Outcome<String> {
    let greeting = KeyValuePair::builder().name("GREETING").value("from Rust").build();
    let container =
        ContainerOverride::builder().name("main").memory(32).environment(greeting).build();
    let request = ecs
        .run_task()
        .task_definition(definition)
        .launch_type(LaunchType::Ec2)
        .started_by("rust")
        .client_token("one-call")
        .tags(tag("colour", "green"))
        .overrides(TaskOverride::builder().container_overrides(container).build());
    let answer = request.clone().send().await?;
    assert!(answer.failures().is_empty(), "{:?}", answer.failures());
    let task = answer.tasks().first().and_then(|it| it.task_arn()).ok_or("no task")?;

    let again = request.send().await?;
    assert_eq!(again.tasks().len(), 1);
    assert_eq!(again.tasks()[0].task_arn(), Some(task), "the same token gives the same task");
    Ok(task.into())
}

async fn running(ecs: &Client, task: &str) -> Outcome<()> {
    ecs.wait_until_tasks_running().tasks(task).wait(PATIENCE).await?;
    let answer = ecs.describe_tasks().tasks(task).include(TaskField::Tags).send().await?;
    let task = answer.tasks().first().ok_or("no task")?;
    assert_eq!(task.last_status(), Some("RUNNING"));
    assert_eq!(task.launch_type(), Some(&LaunchType::Ec2));
    assert_eq!(task.tags(), [tag("colour", "green")]);
    assert!(task.started_at() >= task.created_at());
    Ok(())
}

async fn pages(ecs: &Client, family: &str, task: &str) -> Outcome<()> {
    let tasks = ecs.list_tasks().family(family).desired_status(DesiredStatus::Running);
    let mut pages = tasks.into_paginator().page_size(1).items().send();
    let mut found = Vec::new();
    while let Some(arn) = pages.next().await {
        found.push(arn?);
    }
    assert_eq!(found, [task]);

    let mut pages = ecs.list_clusters().into_paginator().items().send();
    let cluster = pages.next().await.ok_or("no cluster")??;
    assert!(cluster.ends_with(":cluster/default"), "{cluster}");
    Ok(())
}

async fn stopped(ecs: &Client, task: &str) -> Outcome<()> {
    ecs.stop_task().task(task).reason("Rust is done").send().await?;
    ecs.wait_until_tasks_stopped().tasks(task).wait(PATIENCE).await?;
    let answer = ecs.describe_tasks().tasks(task).send().await?;
    let task = answer.tasks().first().ok_or("no task")?;
    assert_eq!(task.stop_code(), Some(&TaskStopCode::UserInitiated));
    assert_eq!(task.stopped_reason(), Some("Rust is done"));
    Ok(())
}

/// Errors arrive as the types that the SDK has for them.
async fn errors(ecs: &Client) {
    let refused = ecs.list_tasks().cluster("elsewhere").send().await;
    let error = refused.expect_err("there is no such cluster").into_service_error();
    assert!(error.is_cluster_not_found_exception(), "{error:?}");

    let refused = ecs.run_task().task_definition("nothing").send().await;
    let error = refused.expect_err("there is no such definition").into_service_error();
    assert!(error.is_client_exception(), "{error:?}");
}

async fn deregister(ecs: &Client, definition: &str) -> Outcome<()> {
    let answer = ecs.deregister_task_definition().task_definition(definition).send().await?;
    let status = answer.task_definition().and_then(|it| it.status().cloned());
    assert_eq!(status, Some(TaskDefinitionStatus::Inactive));
    Ok(())
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}
