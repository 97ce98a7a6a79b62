//! The HTTP server, and the UDP echo beside it.
//!
//! | path | answer |
//! | --- | --- |
//! | `/` | the [`Page`](crate::page::Page) |
//! | `/file?path=P` | the text of a file |
//! | `/write?path=P&text=T` | writes a file |
//! | `/connect?host=H&port=N&path=P` | what another server answers |
//! | `/exit?code=N` | answers, then ends the process |
//! | `/hog` | answers, then allocates memory until killed |

mod request;

use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::process;
use std::thread;
use std::time::Duration;

use crate::arguments::ServeOptions;
use crate::fetch::{Target, fetch};
use crate::page::{Page, to_json};
use crate::{hog, termination};
use request::Request;

/// Serves until the process is ended.
pub(crate) fn serve(options: &ServeOptions) -> Result<(), String> {
    termination::install(&options.on_term).map_err(|error| error.to_string())?;
    if let Some(port) = options.udp_port {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port))
            .map_err(|error| format!("UDP port {port}: {error}"))?;
        thread::spawn(move || echo(&socket));
    }
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, options.port))
        .map_err(|error| format!("port {}: {error}", options.port))?;
    println!("serving on port {}", options.port);
    for stream in listener.incoming().flatten() {
        thread::spawn(move || converse(stream));
    }
    Ok(())
}

/// Sends each datagram back to where it came from.
fn echo(socket: &UdpSocket) {
    let mut datagram = [0; 2048];
    loop {
        if let Ok((length, sender)) = socket.recv_from(&mut datagram)
            && let Some(received) = datagram.get(..length)
            && let Err(error) = socket.send_to(received, sender)
        {
            eprintln!("longshore-probe: UDP to {sender}: {error}");
        }
    }
}

/// What happens once the answer is on its way.
enum Afterwards {
    Close,
    Exit(u8),
    Hog,
}

fn converse(mut stream: TcpStream) {
    let timeout = Some(Duration::from_secs(10));
    if stream.set_read_timeout(timeout).is_err() {
        return;
    }
    let (answer, afterwards) = match request::read(&stream) {
        Ok(request) => (answer(&request), afterwards(&request)),
        Err(problem) => (Err(problem), Afterwards::Close),
    };
    let sent = match answer {
        Ok(body) => send(&mut stream, "200 OK", &body),
        Err(problem) => send(&mut stream, "400 Bad Request", &problem),
    };
    if let Err(error) = sent {
        eprintln!("longshore-probe: the answer could not be sent: {error}");
    }
    drop(stream);
    match afterwards {
        Afterwards::Close => {}
        Afterwards::Exit(code) => process::exit(i32::from(code)),
        Afterwards::Hog => eprintln!("longshore-probe: {}", hog::hog(4096)),
    }
}

fn answer(request: &Request) -> Result<String, String> {
    match request.path.as_str() {
        "/" => to_json(&Page::read()),
        "/file" => {
            let path = request.field("path")?;
            fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
        }
        "/write" => {
            let path = request.field("path")?;
            fs::write(path, request.field("text")?)
                .map(|()| "written\n".to_owned())
                .map_err(|error| format!("{path}: {error}"))
        }
        "/connect" => fetch(&Target {
            host: request.field("host")?.to_owned(),
            port: request.number("port")?,
            path: request.field("path").unwrap_or("/").to_owned(),
        }),
        "/exit" => request.number::<u8>("code").map(|code| format!("ending with {code}\n")),
        "/hog" => Ok("allocating\n".to_owned()),
        path => Err(format!("there is no page {path}")),
    }
}

fn afterwards(request: &Request) -> Afterwards {
    match (request.path.as_str(), request.number("code")) {
        ("/exit", Ok(code)) => Afterwards::Exit(code),
        ("/hog", _) => Afterwards::Hog,
        _ => Afterwards::Close,
    }
}

fn send(stream: &mut TcpStream, status: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes())?;
    stream.flush()
}
