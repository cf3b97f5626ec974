//! A part of a workload that runs as a process of its own: this program once more, asked by lines and answering with lines of JSON,
//! until its input ends.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::Receiver;

use anyhow::{Context, ensure};
use serde_json::Value;

/// A process that this one has started; it ends with this.
pub(crate) struct Subprocess {
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Subprocess {
    /// Starts this program with other arguments.
    pub(crate) fn start<'a>(arguments: impl IntoIterator<Item = &'a str>) -> anyhow::Result<Subprocess> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let commands = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("a process has an output")?);
        Ok(Subprocess { child, commands, answers })
    }

    /// What the process says next.
    pub(crate) fn hear(&mut self) -> anyhow::Result<Value> {
        let mut line = String::new();
        ensure!(self.answers.read_line(&mut line)? > 0, "a process has ended; what it said is above");
        Ok(serde_json::from_str(&line)?)
    }

    /// Asks something.
    pub(crate) fn ask(&mut self, command: &str) -> anyhow::Result<Value> {
        let commands = self.commands.as_mut().context("the process listens")?;
        writeln!(commands, "{command}")?;
        commands.flush()?;
        self.hear()
    }

    /// Lets the process end; whether it did so in peace.
    pub(crate) fn finish(mut self) -> anyhow::Result<bool> {
        drop(self.commands.take());
        Ok(self.child.wait()?.success())
    }
}

impl Drop for Subprocess {
    fn drop(&mut self) {
        drop(self.commands.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The other end: what the process is asked, line by line. Read on another thread: nothing else waits for a line.
pub(crate) fn commands() -> Receiver<String> {
    let (sender, commands) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    commands
}

/// Answers.
pub(crate) fn answer(line: &Value) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
