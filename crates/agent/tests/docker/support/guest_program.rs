//! What runs in the tests' containers. Compiled by itself, with nothing but std and libc's symbols.
//!
//!   wait               until SIGTERM, then end with 143
//!   deaf               for ever, ignoring SIGTERM
//!   exit CODE [SECS]   end with CODE
//!   hog                take memory until killed
//!   busy               keep a CPU busy until killed
//!   write PATH         write a file, then wait
//!   waits-for PATH     end with 0 once the file is there, with 1 after 10 s
//!   finds NAME         end with 0 if /etc/hosts knows the name, with 1 if not
//!   exists PATH        end with 0 if there is such a file, with 1 if not
//!   runs PATH CODE...  end the nth time with the nth code, after 1.5 s; then wait. Counts in PATH
//!   env NAME VALUE     end with 0 if the variable has the value, with 1 if not

use std::process::exit;
use std::time::Duration;

unsafe extern "C" {
    fn signal(number: i32, handler: usize) -> usize;
    fn _exit(code: i32) -> !;
}

const SIGTERM: i32 = 15;
const SIG_IGN: usize = 1;

extern "C" fn end(_: i32) {
    unsafe { _exit(143) }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match *words.as_slice() {
        [] | ["wait"] => wait(end as *const () as usize),
        ["deaf"] => wait(SIG_IGN),
        ["exit", code] => exit(code.parse().unwrap()),
        ["exit", code, secs] => {
            std::thread::sleep(Duration::from_secs(secs.parse().unwrap()));
            exit(code.parse().unwrap())
        }
        ["hog"] => {
            let mut held = Vec::new();
            loop {
                held.push(vec![1u8; 1024 * 1024]);
            }
        }
        ["busy"] => loop {
            std::hint::spin_loop();
        },
        ["write", path] => {
            std::fs::write(path, "here").unwrap();
            wait(end as *const () as usize)
        }
        ["waits-for", path] => {
            for _ in 0..1000 {
                if std::path::Path::new(path).exists() {
                    exit(0);
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            exit(1)
        }
        ["finds", name] => {
            let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
            exit(i32::from(!hosts.split_whitespace().any(|it| it == name)))
        }
        ["exists", path] => exit(i32::from(!std::path::Path::new(path).exists())),
        ["runs", path, ref codes @ ..] => {
            let before = std::fs::read(path).unwrap_or_default();
            std::fs::write(path, [before.as_slice(), b"."].concat()).unwrap();
            match codes.get(before.len()) {
                Some(code) => {
                    std::thread::sleep(Duration::from_millis(1500));
                    exit(code.parse().unwrap())
                }
                None => wait(end as *const () as usize),
            }
        }
        ["env", name, value] => exit(i32::from(std::env::var(name).as_deref() != Ok(value))),
        _ => exit(2),
    }
}

fn wait(on_term: usize) -> ! {
    unsafe { signal(SIGTERM, on_term) };
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}
