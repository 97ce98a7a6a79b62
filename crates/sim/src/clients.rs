//! The clients' calls, and what their answers promise.

use longshore_model::TaskId;
use longshore_wire::ecs::{self, DescribeTasksRequest, Request, RunTaskRequest, StopTaskRequest};

use crate::checks::{Violation, hold, id_of, placed};
use crate::control_plane::CallError;
use crate::workload::ClientCall;
use crate::world::World;

/// What RunTask says where there is no ACTIVE instance.
const NO_INSTANCES: &str = "No Container Instances were found in your cluster.";

impl World {
    /// A client's call arrives.
    pub(crate) fn answer_client(&mut self, call: ClientCall) -> Result<(), Violation> {
        self.stage.note(|| format!("client {call:?}"));
        match call {
            ClientCall::CreateCluster(request) => self.ask(&request),
            ClientCall::DeleteCluster(request) => self.ask(&request),
            ClientCall::RegisterTaskDefinition(request) => self.ask(&*request),
            ClientCall::DeregisterTaskDefinition(request) => self.ask(&request),
            ClientCall::DeleteTaskDefinitions(request) => self.ask(&request),
            ClientCall::PutAttributes(request) => self.ask(&request),
            ClientCall::DeleteAttributes(request) => self.ask(&request),
            ClientCall::UpdateContainerInstancesState(request) => self.ask(&request),
            ClientCall::DeregisterContainerInstance(request) => self.ask(&request),
            ClientCall::RunTask(request) => self.run_task(&request),
            ClientCall::StartTask(request) => {
                let before = self.plane.view();
                match self.plane.call(&*request) {
                    Ok(answer) => {
                        let ids = self.learn(&answer.tasks.unwrap_or_default())?;
                        placed::check_started(&ids, &before, &self.plane.view())
                    }
                    Err(error) => self.check_refusal(error),
                }
            }
            ClientCall::StopTask(request) => self.stop_task(&request),
            ClientCall::DescribeTasks(request) => self.describe(&request),
            ClientCall::ListTasks(request) => self.ask(&request),
        }
    }

    fn run_task(&mut self, request: &RunTaskRequest) -> Result<(), Violation> {
        let before = self.plane.view();
        let tasks = match self.plane.call(request) {
            Ok(answer) => answer.tasks.unwrap_or_default(),
            Err(CallError::Refused(error)) if error.message == NO_INSTANCES => Vec::new(),
            Err(error) => return self.check_refusal(error),
        };
        let ids = self.learn(&tasks)?;
        let after = self.plane.view();
        placed::check(request, &ids, &before, &after)?;
        if ids.is_empty() {
            return self.note_unplaced(request.cluster.as_deref());
        }
        match request.client_token.as_deref() {
            Some(token) => self.checks.marked(token, &ids, &after),
            None => Ok(()),
        }
    }

    /// That nothing could be placed is not forgotten, whether the client heard of it or not.
    fn note_unplaced(&mut self, cluster: Option<&str>) -> Result<(), Violation> {
        self.checks.unplaced(cluster.unwrap_or("default"), &self.plane.view())
    }

    /// A call of whose answer nothing is remembered.
    fn ask(&mut self, request: &impl Request) -> Result<(), Violation> {
        let answer = self.plane.call(request).map(|_| ());
        answer.or_else(|it| self.check_refusal(it))
    }

    /// The tasks of an answer are promised, though the client may never hear of them.
    fn learn(&mut self, tasks: &[ecs::Task]) -> Result<Vec<TaskId>, Violation> {
        let arns = tasks.iter().map(|it| it.task_arn.as_deref().unwrap_or_default());
        let ids = arns.map(id_of).collect::<Result<Vec<_>, _>>()?;
        self.checks.acknowledge(&ids, &self.plane.view())?;
        if !self.stage.mishap(self.stage.profile.loss_percent) {
            self.workload.learn(tasks);
        }
        Ok(ids)
    }

    /// StopTask; an answer means that the task is to stop, whoever wanted it first.
    pub(crate) fn stop_task(&mut self, request: &StopTaskRequest) -> Result<(), Violation> {
        let task = id_of(request.task.as_deref().unwrap_or_default())?;
        self.checks.stopping = Some((task, request.reason.clone()));
        let answer = self.plane.call(request);
        self.settle()?;
        self.checks.stopping = None;
        match answer {
            Ok(answer) => {
                let desired = answer.task.and_then(|it| it.desired_status);
                hold(desired.as_deref() == Some("STOPPED"), || {
                    format!("StopTask left {task} as it was")
                })
            }
            Err(CallError::Refused(error)) if error.code == "InvalidParameterException" => {
                hold(!self.checks.must_exist(task), || format!("StopTask does not find {task}"))
            }
            Err(error) => self.check_refusal(error),
        }
    }

    /// DescribeTasks; what was acknowledged is found.
    fn describe(&mut self, request: &DescribeTasksRequest) -> Result<(), Violation> {
        let answer = match self.plane.call(request) {
            Ok(answer) => answer,
            Err(error) => return self.check_refusal(error),
        };
        for failure in answer.failures.unwrap_or_default() {
            let task = id_of(failure.arn.as_deref().unwrap_or_default())?;
            hold(!self.checks.must_exist(task), || format!("DescribeTasks does not find {task}"))?;
        }
        Ok(())
    }
}
