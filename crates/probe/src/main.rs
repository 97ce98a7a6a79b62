//! The one program of the image `longshore-probe`: it shows, from inside a container, what Docker
//! was asked to give it, and misbehaves on request.
//!
//! It stands alone in a `FROM scratch` image, so it is linked statically and looks no name up
//! (there is no resolver to ask; [`hosts`] reads `/etc/hosts` itself). It runs as process 1, to
//! which the kernel delivers only the signals that it handles: a sub-command that waits therefore
//! always says what SIGTERM does to it.

mod arguments;
mod cgroup;
mod fetch;
mod hog;
mod hosts;
mod page;
mod serve;
mod termination;

use std::process::ExitCode;
use std::time::Duration;

use arguments::Command;
use termination::OnTerm;

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned());
    match arguments::parse(arguments.collect()) {
        Ok(command) => run(command).unwrap_or_else(|error| fail(1, &error)),
        Err(error) => fail(2, &format!("{error}\n\n{}", arguments::USAGE)),
    }
}

fn run(command: Command) -> Result<ExitCode, String> {
    match command {
        Command::Serve(options) => serve::serve(&options).map(|()| ExitCode::SUCCESS),
        Command::Show => page::to_json(&page::Page::read()).map(say),
        Command::Limits => page::to_json(&cgroup::Limits::read()).map(say),
        Command::Env => Ok(say(env_lines())),
        Command::Print(path) => read(&path).map(say),
        Command::Exit { code, after_secs } => {
            std::thread::sleep(Duration::from_secs(after_secs));
            Ok(ExitCode::from(code))
        }
        Command::Sleep { secs, on_term } => {
            termination::install(&on_term).map_err(|error| error.to_string())?;
            println!("sleeping");
            std::thread::sleep(Duration::from_secs(secs));
            Ok(ExitCode::SUCCESS)
        }
        Command::Busy { holding_mib } => {
            let on_term = OnTerm::End { mark: None, delay_secs: 0, code: 143 };
            termination::install(&on_term).map_err(|error| error.to_string())?;
            hog::be_busy(holding_mib)
        }
        Command::Hog { at_most_mib } => Err(hog::hog(at_most_mib)),
        Command::Connect(target) => fetch::fetch(&target).map(say),
    }
}

fn say(text: String) -> ExitCode {
    println!("{text}");
    ExitCode::SUCCESS
}

fn fail(code: u8, message: &str) -> ExitCode {
    eprintln!("longshore-probe: {message}");
    ExitCode::from(code)
}

fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}

fn env_lines() -> String {
    let lines: Vec<String> =
        page::environment().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    lines.join("\n")
}
