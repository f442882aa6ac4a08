//! A throwaway PostgreSQL from the machine's own `initdb` and `postgres`.
//!
//! It listens on a free port of 127.0.0.1 only, trusts whoever connects, and gives up durability for speed. It must
//! never be pointed at a folder that it did not make.

use std::fs::{self, DirBuilder, File};
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::process;

/// What a person can do who has no PostgreSQL.
pub(crate) const HOW_TO_INSTALL: &str = "install PostgreSQL's server programs (Debian: apt-get install postgresql; macOS: brew install postgresql),\n\
     or set TEST_DATABASE_URL to a PostgreSQL whose user may create databases";

const USER: &str = "postgres";
const START_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// The server programs of this machine.
pub(crate) struct Programs {
    initdb: PathBuf,
    postgres: PathBuf,
}

impl Programs {
    /// Looks in `PATH` and, since Debian keeps them out of it, where Debian puts them; the newest version first.
    pub(crate) fn find() -> Option<Self> {
        let mut debian: Vec<PathBuf> =
            fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        debian.sort_by_key(|path| {
            path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<u32>().ok())
        });
        let folders: Vec<PathBuf> = debian.into_iter().rev().map(|path| path.join("bin")).collect();
        Some(Self {
            initdb: process::find_program("initdb", &folders)?,
            postgres: process::find_program("postgres", &folders)?,
        })
    }
}

/// A running cluster. Dropping it leaves it running; `stop` ends it.
pub(crate) struct Cluster {
    /// Holds `data/` and `log`; made by us, removed by `stop`.
    pub(crate) dir: PathBuf,
    pub(crate) pid: i32,
    pub(crate) port: u16,
}

impl Cluster {
    /// Makes a cluster in a new folder below the system's temporary one, not below `target/`: run by root it belongs
    /// to another user, who may be unable to enter the folder that the clone lies in.
    pub(crate) fn start(programs: &Programs) -> Result<Self> {
        Self::start_with(programs, &["fsync=off", "synchronous_commit=off", "full_page_writes=off"])
    }

    /// One that has written to the disk what it has committed, as it does in production: to measure with.
    pub(crate) fn start_durable(programs: &Programs) -> Result<Self> {
        Self::start_with(programs, &[])
    }

    fn start_with(programs: &Programs, settings: &[&str]) -> Result<Self> {
        let dir = new_folder()?;
        let started = Self::start_in(programs, &dir, settings);
        if started.is_err() {
            let _ = fs::remove_dir_all(&dir);
        }
        started
    }

    fn start_in(programs: &Programs, dir: &Path, settings: &[&str]) -> Result<Self> {
        let account = Account::for_server(dir)?;
        if let Some(account) = &account {
            chown(dir, Some(account.uid), Some(account.gid))
                .with_context(|| format!("cannot give {} to the user {}", dir.display(), account.name))?;
        }
        let data = dir.join("data");
        let mut initdb = server_command(&programs.initdb, dir, account.as_ref());
        initdb.args(["--auth=trust", "--encoding=UTF8", "--no-sync", "--username", USER]);
        // The locale decides sorting and letter case: the same on every machine that has it.
        initdb.arg(if cfg!(target_os = "linux") { "--locale=C.UTF-8" } else { "--locale=C" });
        initdb.arg("--pgdata").arg(&data);
        process::output(&mut initdb).context("the throwaway PostgreSQL cannot be made")?;

        // Between finding a free port and taking it, another program may take it.
        const ATTEMPTS: u32 = 5;
        let mut attempt = 1;
        loop {
            match Self::launch(programs, dir, &data, account.as_ref(), settings) {
                Err(error) if attempt == ATTEMPTS || process::check_stopped().is_err() => return Err(error),
                Err(_) => attempt += 1,
                started => return started,
            }
        }
    }

    fn launch(
        programs: &Programs,
        dir: &Path,
        data: &Path,
        account: Option<&Account>,
        settings: &[&str],
    ) -> Result<Self> {
        let port = free_port()?;
        let log_path = dir.join("log");
        let log = File::create(&log_path).with_context(|| format!("cannot write {}", log_path.display()))?;
        let mut command = server_command(&programs.postgres, dir, account);
        command.arg("-D").arg(data).args(["-p", &port.to_string()]);
        let usual = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200"];
        for setting in usual.iter().chain(settings) {
            command.args(["-c", setting]);
        }
        // Its own process group, or a Ctrl-C would stop it under the tests' feet.
        command.process_group(0).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut child = command.spawn().context("cannot start `postgres`")?;

        let cluster = Self { dir: dir.into(), pid: child.id() as i32, port };
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            if let Some(status) = child.try_wait()? {
                bail!("`postgres` ended at once ({status}); its log says:\n{}", fs::read_to_string(&log_path)?);
            }
            if cluster.is_ready() {
                return Ok(cluster);
            }
            let late = Instant::now() > deadline;
            if late || process::check_stopped().is_err() {
                let _ = child.kill();
                let _ = child.wait();
                process::check_stopped()?;
                bail!("`postgres` did not get ready; its log says:\n{}", fs::read_to_string(&log_path)?);
            }
            sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("postgresql://{USER}@127.0.0.1:{}/postgres", self.port)
    }

    /// Whether this process is alive and is the server of this folder, and not another that was given its number.
    pub(crate) fn is_ours(&self) -> bool {
        let lines = self.lock_file();
        let locked = lines.first().is_some_and(|pid| pid.trim() == self.pid.to_string());
        locked && command_line(self.pid).is_some_and(|line| line.contains(&*self.dir.to_string_lossy()))
    }

    /// Ends the server, if it is ours, and removes its folder.
    pub(crate) fn stop(&self) -> Result<()> {
        if self.is_ours() {
            let pid = Pid::from_raw(self.pid).context("the recorded process id is 0")?;
            // SIGQUIT: at once. Nothing in it is worth an orderly end, and nothing waits for open connections.
            kill_process(pid, Signal::QUIT).with_context(|| format!("cannot stop postgres, process {}", self.pid))?;
            let deadline = Instant::now() + STOP_TIMEOUT;
            while self.is_ours() {
                if Instant::now() > deadline {
                    bail!("postgres, process {}, does not stop; its log is {}/log", self.pid, self.dir.display());
                }
                sleep(Duration::from_millis(20));
            }
        }
        match fs::remove_dir_all(&self.dir) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", self.dir.display()))
            }
            _ => Ok(()),
        }
    }

    /// PostgreSQL tells its state in the last line of its own lock file.
    fn is_ready(&self) -> bool {
        self.lock_file().get(7).is_some_and(|state| state.trim() == "ready")
    }

    fn lock_file(&self) -> Vec<String> {
        let text = fs::read_to_string(self.dir.join("data/postmaster.pid")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// The user that the server runs as when root runs xtask: PostgreSQL refuses to be root.
struct Account {
    name: String,
    uid: u32,
    gid: u32,
}

impl Account {
    /// `None` when xtask is run by an ordinary user, the owner of the folder it just made.
    fn for_server(dir: &Path) -> Result<Option<Self>> {
        if dir.metadata()?.uid() != 0 {
            return Ok(None);
        }
        let passwd = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        match Self::choose(&passwd) {
            Some(account) => Ok(Some(account)),
            None => bail!("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody"),
        }
    }

    fn choose(passwd: &str) -> Option<Self> {
        ["postgres", "nobody"].iter().find_map(|wanted| {
            passwd.lines().find_map(|line| {
                let mut fields = line.split(':');
                let name = fields.next().filter(|name| name == wanted)?;
                let uid = fields.nth(1)?.parse().ok()?;
                let gid = fields.next()?.parse().ok()?;
                Some(Self { name: name.into(), uid, gid })
            })
        })
    }
}

fn server_command(program: &Path, dir: &Path, account: Option<&Account>) -> Command {
    let mut command = Command::new(program);
    // The caller's folder may be closed to the server's user.
    command.current_dir(dir);
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

fn new_folder() -> Result<PathBuf> {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_nanos());
    let dir = std::env::temp_dir().join(format!("artdag-postgres-{}-{nanos:x}", std::process::id()));
    // Fails if it exists, so nobody can have laid out a folder for us.
    DirBuilder::new().mode(0o700).create(&dir).with_context(|| {
        format!("cannot make {}; set TMPDIR to a folder that any user may enter and you may write", dir.display())
    })?;
    Ok(dir)
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

/// How a process was started, or `None` if there is none of that number.
fn command_line(pid: i32) -> Option<String> {
    if Path::new("/proc/self/cmdline").exists() {
        let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        return (!line.is_empty()).then(|| String::from_utf8_lossy(&line).replace('\0', " "));
    }
    process::output(Command::new("ps").args(["-ww", "-o", "command=", "-p", &pid.to_string()])).ok()
}

#[cfg(test)]
mod tests {
    use super::Account;

    #[test]
    fn the_account_named_postgres_goes_before_nobody() {
        let passwd =
            "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\npostgres:x:101:104:P,,,:/:/bin/sh\n";
        let account = Account::choose(passwd).expect("there is one");
        assert_eq!((account.name.as_str(), account.uid, account.gid), ("postgres", 101, 104));
        let account = Account::choose("nobody:x:65534:65533::/:/bin/false").expect("there is one");
        assert_eq!((account.name.as_str(), account.uid, account.gid), ("nobody", 65534, 65533));
        assert!(Account::choose("root:x:0:0:root:/root:/bin/sh\npostgresql:x:5:5::/:").is_none());
    }
}
