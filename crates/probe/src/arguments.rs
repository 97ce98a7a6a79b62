//! The command line, parsed once into a [`Command`].

use std::path::PathBuf;
use std::str::FromStr;

use crate::fetch::Target;
use crate::termination::OnTerm;

/// What is printed when the command line cannot be read.
pub(crate) const USAGE: &str = "\
usage: longshore-probe COMMAND
  serve [--port 8080] [--udp PORT] [ON TERM]  serve HTTP, and echo UDP datagrams
  show                       print the page that `serve` shows at /
  env | limits               print the environment | the limits that the cgroup shows
  print FILE                 print a file
  exit CODE [--after SECS]   end with this code
  sleep SECS [ON TERM]       wait, then end with 0
  ignore-term                wait for ever, deaf to SIGTERM
  mark-term FILE [CODE]      wait for ever; on SIGTERM write a mark, then end with CODE (0)
  busy [--holding MIB]       use a CPU, and hold memory, until SIGTERM
  hog [--at-most MIB]        allocate memory until killed, or until 4096 MiB are held
  connect HOST PORT [PATH]   HTTP GET; HOST is an address or a name of /etc/hosts
ON TERM: [--ignore-term] [--mark FILE] [--term-delay SECS] [--term-code 143]";

/// One thing to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    Serve(ServeOptions),
    Show,
    Env,
    Limits,
    Print(String),
    Exit { code: u8, after_secs: u64 },
    Sleep { secs: u64, on_term: OnTerm },
    Busy { holding_mib: usize },
    Hog { at_most_mib: usize },
    Connect(Target),
}

/// Where `serve` listens, and what SIGTERM does to it.
#[derive(Debug, PartialEq)]
pub(crate) struct ServeOptions {
    pub(crate) port: u16,
    pub(crate) udp_port: Option<u16>,
    pub(crate) on_term: OnTerm,
}

/// Reads the arguments that follow the program's name; none at all means `serve`.
pub(crate) fn parse(arguments: Vec<String>) -> Result<Command, String> {
    let mut words = Words::new(arguments);
    let name = words.next_word().unwrap_or_else(|| "serve".to_owned());
    let command = match name.as_str() {
        "serve" => Command::Serve(ServeOptions {
            port: words.option("--port")?.unwrap_or(8080),
            udp_port: words.option("--udp")?,
            on_term: on_term(&mut words)?,
        }),
        "show" => Command::Show,
        "env" => Command::Env,
        "limits" => Command::Limits,
        "print" => Command::Print(words.required("FILE")?),
        "exit" => {
            let after_secs = words.option("--after")?.unwrap_or(0);
            Command::Exit { code: words.required("CODE")?, after_secs }
        }
        "sleep" => {
            let on_term = on_term(&mut words)?;
            Command::Sleep { secs: words.required("SECS")?, on_term }
        }
        "ignore-term" => Command::Sleep { secs: u64::MAX, on_term: OnTerm::Ignore },
        "mark-term" => {
            let mark = Some(words.required("FILE")?);
            let code = words.optional("CODE")?.unwrap_or(0);
            let on_term = OnTerm::End { mark, delay_secs: 0, code };
            Command::Sleep { secs: u64::MAX, on_term }
        }
        "busy" => Command::Busy { holding_mib: words.option("--holding")?.unwrap_or(0) },
        "hog" => Command::Hog { at_most_mib: words.option("--at-most")?.unwrap_or(4096) },
        "connect" => Command::Connect(Target {
            host: words.required("HOST")?,
            port: words.required("PORT")?,
            path: words.optional("PATH")?.unwrap_or_else(|| "/".to_owned()),
        }),
        other => return Err(format!("there is no command {other:?}")),
    };
    words.end().map(|()| command)
}

fn on_term(words: &mut Words) -> Result<OnTerm, String> {
    if words.flag("--ignore-term") {
        return Ok(OnTerm::Ignore);
    }
    Ok(OnTerm::End {
        mark: words.option::<PathBuf>("--mark")?,
        delay_secs: words.option("--term-delay")?.unwrap_or(0),
        code: words.option("--term-code")?.unwrap_or(143),
    })
}

/// The words not yet understood.
struct Words(Vec<String>);

impl Words {
    fn new(words: Vec<String>) -> Self {
        Self(words)
    }

    fn next_word(&mut self) -> Option<String> {
        if self.0.is_empty() { None } else { Some(self.0.remove(0)) }
    }

    fn flag(&mut self, name: &str) -> bool {
        let found = self.0.iter().position(|it| it == name);
        found.map(|at| self.0.remove(at)).is_some()
    }

    fn option<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, String> {
        let Some(at) = self.0.iter().position(|it| it == name) else { return Ok(None) };
        self.0.remove(at);
        if at == self.0.len() {
            return Err(format!("{name} needs a value"));
        }
        read(name, &self.0.remove(at)).map(Some)
    }

    fn optional<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, String> {
        self.next_word().map(|word| read(name, &word)).transpose()
    }

    fn required<T: FromStr>(&mut self, name: &str) -> Result<T, String> {
        self.optional(name)?.ok_or_else(|| format!("{name} is missing"))
    }

    fn end(&self) -> Result<(), String> {
        match self.0.first() {
            None => Ok(()),
            Some(word) => Err(format!("{word:?} is not understood here")),
        }
    }
}

fn read<T: FromStr>(name: &str, word: &str) -> Result<T, String> {
    word.parse().map_err(|_| format!("{word:?} is no value for {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Result<Command, &str>) {
        let words = line.split_whitespace().map(str::to_owned).collect();
        assert_eq!(parse(words), expected.map_err(str::to_owned));
    }

    const DIE: OnTerm = OnTerm::End { mark: None, delay_secs: 0, code: 143 };

    #[test]
    fn no_argument_means_serve_on_8080() {
        let options = ServeOptions { port: 8080, udp_port: None, on_term: DIE };
        check("", Ok(Command::Serve(options)));
    }

    #[test]
    fn options_may_stand_in_any_order() {
        let on_term = OnTerm::End { mark: Some("/m".into()), delay_secs: 2, code: 7 };
        check(
            "serve --term-code 7 --udp 53 --mark /m --port 80 --term-delay 2",
            Ok(Command::Serve(ServeOptions { port: 80, udp_port: Some(53), on_term })),
        );
    }

    #[test]
    fn exit_takes_a_code_and_may_wait() {
        check("exit 42", Ok(Command::Exit { code: 42, after_secs: 0 }));
        check("exit 42 --after 3", Ok(Command::Exit { code: 42, after_secs: 3 }));
    }

    #[test]
    fn what_is_busy_may_hold_memory() {
        check("busy", Ok(Command::Busy { holding_mib: 0 }));
        check("busy --holding 64", Ok(Command::Busy { holding_mib: 64 }));
    }

    #[test]
    fn a_mark_is_written_before_ending_with_0() {
        let on_term = OnTerm::End { mark: Some("/m".into()), delay_secs: 0, code: 0 };
        check("mark-term /m", Ok(Command::Sleep { secs: u64::MAX, on_term }));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        check("dance", Err("there is no command \"dance\""));
        check("exit", Err("CODE is missing"));
        check("exit 256", Err("\"256\" is no value for CODE"));
        check("serve --port", Err("--port needs a value"));
        check("env now", Err("\"now\" is not understood here"));
    }
}
