use crate::cli::JobsCommand;
use crate::settings::Settings;
use crate::wiring::{self, StartError};
use artdag_kernel::{Page, PageLimit, rfc3339_seconds};
use artdag_registry::{JobId, JobState};

/// `artdag-l2 jobs ..`
pub(crate) async fn jobs(settings: &Settings, command: JobsCommand) -> Result<(), StartError> {
    let registry = wiring::build(settings).await?;
    match command {
        JobsCommand::List { state, limit } => {
            let state = state.and_then(|word| JobState::ALL.into_iter().find(|state| state.as_str() == word));
            let mut reader = registry.read().await?;
            let jobs = reader.list_jobs(state, Page::newest(PageLimit::new(limit)?)).await?;
            for job in &jobs.items {
                let due = match job.state {
                    JobState::Dead => String::new(),
                    JobState::Waiting => format!("  due {}", rfc3339_seconds(job.run_at)),
                    JobState::Running => format!("  leased until {}", rfc3339_seconds(job.run_at)),
                };
                println!("{}  {:7}  attempts {:2}{due}  {}", job.id, job.state, job.attempts, job.payload);
                if let Some(error) = &job.last_error {
                    println!("    last error: {error}");
                }
            }
            let counts = reader.count_jobs().await?;
            let words = JobState::ALL.iter().zip(counts).map(|(state, count)| format!("{count} {state}"));
            println!("{}", words.collect::<Vec<_>>().join(", "));
        }
        JobsCommand::Retry { id, all } => {
            let id: Option<JobId> = match id {
                Some(text) if !all => Some(
                    text.parse().map_err(|_| format!("`{text}` is no job's id; `artdag-l2 jobs list` shows them"))?,
                ),
                _ => None,
            };
            match (id, registry.revive_jobs(id).await?) {
                (Some(id), 0) => {
                    return Err(
                        format!("there is no dead job {id}; `artdag-l2 jobs list --state dead` shows them").into()
                    );
                }
                (_, count) => println!("{count} will run again."),
            }
        }
    }
    Ok(())
}
