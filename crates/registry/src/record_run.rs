use crate::{PublishError, RegisterAssetError, RegisteredAsset, Registry, UnitOfWork};
use artdag_assets::{Asset, AssetName, AssetType, Details, NewAsset, Registered, Tags};
use artdag_federation::Activity;
use artdag_kernel::{ContentHash, ServerUrl, StoreError, Username};
use artdag_provenance::{RendererError, Run, RunId, RunReport, RunStatus};
use std::time::Duration;

/// How long a renderer waits for the answer to its own request.
const BUDGET: Duration = Duration::from_secs(30);

/// A run to be recorded as an asset.
#[derive(Clone, Debug)]
pub struct RecordRun {
    /// The renderer.
    pub l1_server: ServerUrl,
    /// Its name for the run.
    pub run_id: RunId,
    /// What the output is to be called.
    pub output_name: AssetName,
    /// What kind of thing it is, if the caller knows better than the renderer.
    pub asset_type: Option<AssetType>,
    /// What it is to be found by.
    pub tags: Tags,
}

/// Why a run was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordRunError {
    /// The server is not one of this registry's renderers.
    #[error("{0} is not a renderer of this registry")]
    UnknownRenderer(ServerUrl),
    /// The renderer gave no run.
    #[error(transparent)]
    Renderer(#[from] RendererError),
    /// The run is not completed; this is the renderer's word for how far it is.
    #[error("the run is {0}")]
    NotCompleted(String),
    /// The run is recorded already, as another asset.
    #[error("the run is recorded already")]
    Recorded(Box<Asset>),
    /// It took longer than the renderer waits. It may be recorded nevertheless: asking again tells.
    #[error("recording the run took too long")]
    Slow,
    /// The output could not be registered.
    #[error(transparent)]
    Register(#[from] RegisterAssetError),
}

impl From<StoreError> for RecordRunError {
    fn from(error: StoreError) -> Self {
        Self::Register(error.into())
    }
}

impl From<PublishError> for RecordRunError {
    fn from(error: PublishError) -> Self {
        Self::Register(error.into())
    }
}

/// Everything that one recorded run writes.
struct Records {
    assets: Vec<(Asset, Activity)>,
    run: Run,
}

impl Registry {
    /// Asks the renderer for a run and registers what it made, with its provenance. Inputs that nobody registered
    /// become assets of the same owner. Assets, activities and run are written in one unit of work, after
    /// everything was fetched and signed. Recording the same run again under the same name answers what is there.
    ///
    /// It ends within the time that a renderer waits for it. What is cut off then is dropped as when a client goes away:
    /// all of it is there, or nothing.
    ///
    /// # Errors
    /// [`RecordRunError`]; nothing is written then, except maybe with [`RecordRunError::Slow`].
    pub async fn record_run(&self, owner: &Username, record: &RecordRun) -> Result<RegisteredAsset, RecordRunError> {
        let recorded = tokio::time::timeout(BUDGET, self.record_in_time(owner, record)).await;
        recorded.unwrap_or(Err(RecordRunError::Slow))
    }

    async fn record_in_time(&self, owner: &Username, record: &RecordRun) -> Result<RegisteredAsset, RecordRunError> {
        if !self.is_renderer(&record.l1_server) {
            return Err(RecordRunError::UnknownRenderer(record.l1_server.clone()));
        }
        if let Some(asset) = self.find_recorded(owner, record).await? {
            return Ok(RegisteredAsset { asset, is_new: false });
        }
        let report = self.parts.renderers.fetch_run(&record.l1_server, &record.run_id).await?;
        let new = output(record, &report)?;
        if new.provenance.inputs().contains(&new.content_hash) {
            return Err(RegisterAssetError::OwnInput.into());
        }
        // A record that is lost to another is answered from what won; that may be gone again when it is read.
        for _ in 0..5 {
            if let Some(asset) = self.find_recorded(owner, record).await? {
                return Ok(RegisteredAsset { asset, is_new: false });
            }
            // An output that its owner registered by hand, with the very same words, is not registered twice.
            if let Some(asset) = self.find_claim(owner, &new).await? {
                return Ok(RegisteredAsset { asset, is_new: false });
            }
            let records = self.prepare(owner, record, &new, &report).await?;
            if self.write_run(&records).await? {
                for (_, activity) in &records.assets {
                    self.announce(activity);
                }
                let output = records.assets.into_iter().next_back().map(|(asset, _)| asset);
                let asset = output.ok_or(RegisterAssetError::Contended)?;
                return Ok(RegisteredAsset { asset, is_new: true });
            }
        }
        Err(RegisterAssetError::Contended.into())
    }

    /// The asset that this run was recorded as before.
    async fn find_recorded(&self, owner: &Username, record: &RecordRun) -> Result<Option<Asset>, RecordRunError> {
        let mut reader = self.read().await?;
        let Some(run) = reader.find_run(&record.l1_server, &record.run_id).await? else {
            return Ok(None);
        };
        match reader.find_asset_by_id(run.output).await? {
            Some(asset) if asset.owner == *owner && asset.name == record.output_name => Ok(Some(asset)),
            Some(asset) => Err(RecordRunError::Recorded(Box::new(asset))),
            // The output was deleted since; its owner may record the run anew.
            None => Ok(None),
        }
    }

    /// Makes and signs everything: inputs first, the output last.
    async fn prepare(
        &self,
        owner: &Username,
        record: &RecordRun,
        new: &NewAsset,
        report: &RunReport,
    ) -> Result<Records, RecordRunError> {
        let mut assets = Vec::new();
        for input in new.provenance.inputs() {
            if let Some(name) = self.name_for_input(owner, input).await? {
                assets.push(self.signed_claim(owner, input_asset(name, *input)?).await?);
            }
        }
        let output = self.signed_claim(owner, new.clone()).await?;
        let run = Run {
            l1_server: record.l1_server.clone(),
            run_id: record.run_id.clone(),
            recorded_by: owner.clone(),
            recorded_at: output.0.created_at,
            output: output.0.id,
            report: report.document.to_string(),
        };
        assets.push(output);
        Ok(Records { assets, run })
    }

    /// What an input is to be registered as; `None` when it is registered, or is reserved for somebody else.
    async fn name_for_input(&self, owner: &Username, input: &ContentHash) -> Result<Option<AssetName>, StoreError> {
        let mut reader = self.read().await?;
        match reader.find_asset_by_hash(input).await? {
            Some(Registered::Live(_)) => return Ok(None),
            Some(Registered::Deleted(tombstone)) if tombstone.owner != *owner => return Ok(None),
            _ => {}
        }
        // Sixteen digits are enough to tell inputs apart, unless somebody took the name for something else.
        let digits = input.to_bare_hex();
        for length in [16, 32, 64] {
            let Ok(name) = format!("input-{}", &digits[..length]).parse::<AssetName>() else { continue };
            let free = match reader.find_asset(&name).await? {
                None => true,
                Some(Registered::Live(_)) => false,
                Some(Registered::Deleted(tombstone)) => tombstone.owner == *owner,
            };
            if free {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// `false` when something else came first.
    async fn write_run(&self, records: &Records) -> Result<bool, RecordRunError> {
        let mut unit = self.parts.store.begin().await?;
        match self.add_records(unit.as_mut(), records).await {
            Ok(true) => unit.commit().await?,
            other => {
                unit.rollback().await?;
                return other;
            }
        }
        Ok(true)
    }

    async fn add_records(&self, unit: &mut (dyn UnitOfWork + '_), records: &Records) -> Result<bool, RecordRunError> {
        for (asset, activity) in &records.assets {
            if !self.add_claim(unit, asset, activity).await? {
                return Ok(false);
            }
        }
        match unit.add_run(&records.run).await {
            Err(StoreError::Conflict(_)) => Ok(false),
            added => Ok(added.map(|()| true)?),
        }
    }
}

/// The claim that a completed run amounts to.
fn output(record: &RecordRun, report: &RunReport) -> Result<NewAsset, RecordRunError> {
    if let RunStatus::Other(word) = &report.status {
        return Err(RecordRunError::NotCompleted(word.clone()));
    }
    let nonsense = |what: &str| RecordRunError::Renderer(RendererError::Nonsense(what.to_owned()));
    let content_hash = report.output.ok_or_else(|| nonsense("the run is completed and has no output"))?;
    let told = report.output_type.as_deref().unwrap_or("media");
    let asset_type = match &record.asset_type {
        Some(asset_type) => asset_type.clone(),
        None => told.parse().map_err(|_| nonsense("the type of the output is no sound text"))?,
    };
    let details = Details { asset_type, description: None, tags: record.tags.clone(), url: None, metadata: None };
    let provenance = report.provenance.clone();
    Ok(NewAsset { name: record.output_name.clone(), content_hash, cid: None, provenance, details })
}

/// An input that nobody registered: nothing is known of it but its content.
fn input_asset(name: AssetName, content_hash: ContentHash) -> Result<NewAsset, RecordRunError> {
    let asset_type = "media".parse().map_err(|_| RendererError::Nonsense("no type for an input".to_owned()))?;
    let details = Details { asset_type, description: None, tags: Tags::default(), url: None, metadata: None };
    Ok(NewAsset { name, content_hash, cid: None, provenance: Default::default(), details })
}
