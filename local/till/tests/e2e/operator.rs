//! Somebody who runs `till` and looks at what it says.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;
use testing::TestApp;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// The program under test.
pub(crate) const TILL: &str = env!("CARGO_BIN_EXE_till");

/// A shop and its operator's folder.
pub(crate) struct Operator {
    pub(crate) shop: TestApp,
    folder: TempDir,
}

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self
    }

    /// What is on stdout, which is one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|_| panic!("no JSON: {}{}", self.out, self.err))
    }

    #[track_caller]
    pub(crate) fn complains(&self, complaint: &str) {
        assert!(self.err.contains(complaint), "{}", self.err);
    }
}

impl Operator {
    pub(crate) async fn new() -> Self {
        Self {
            shop: TestApp::start().await,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// `till …` on this shop.
    pub(crate) fn till(&self, command: &[&str]) -> impl Future<Output = Said> + use<> {
        self.till_with(command, "")
    }

    /// `till` beside this shop, with nothing in its environment that would lead there.
    pub(crate) fn bare(&self) -> Command {
        self.shop.till(TILL)
    }

    /// `till …` on this shop, with something on stdin.
    pub(crate) fn till_with(
        &self,
        command: &[&str],
        input: &str,
    ) -> impl Future<Output = Said> + use<> {
        let mut till = self.bare();
        till.args(command).args(self.shop.ports());
        let input = input.to_owned();
        async move { run(till, &input).await }
    }

    /// A file of the operator's.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file of the operator's, with something in it; its name for a command line.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.file(name), text).unwrap();
        self.file(name).to_str().unwrap().to_owned()
    }
}

/// Runs a command to its end.
pub(crate) async fn run(mut till: Command, input: &str) -> Said {
    till.stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut till = till.spawn().unwrap();
    let mut stdin = till.stdin.take().unwrap();
    // A command that reads nothing may be gone before.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = till.wait_with_output().await.unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
