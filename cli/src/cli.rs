//! The command line: what can be said, no logic.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::PolicyPart;

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed
  2    usage or configuration error
  3    incomplete: run the same command again
  4    drift found (status --check, plan --check)
  130  interrupted";

/// Stands up, runs and takes down an r/place canvas on AWS, or on this machine with --local.
#[derive(Debug, Parser)]
#[command(name = "placectl", version, after_help = EXIT_CODES, propagate_version = true)]
pub(crate) struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Configuration file [default: place.toml, where it exists]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Name of the stack
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) stack: Option<String>,
    /// AWS region
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Profile of the AWS configuration files
    #[arg(long, global = true, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    /// Use the local cloud: MiniStack and Redis on this machine
    #[arg(long, global = true)]
    pub(crate) local: bool,
    /// Port of the local cloud [default: 4566]
    #[arg(long, global = true, value_name = "PORT")]
    pub(crate) local_port: Option<u16>,
    /// How results are printed
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
    /// Say more: every retry, and how many calls were made
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// Say less: results and errors only
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// For programs: JSON on stdout, everything else on stderr.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write an annotated place.toml with every key and its default
    Init(InitArgs),
    /// Perform the seven steps; repairs what has drifted, goes on where a run was cut off
    Up(UpArgs),
    /// Show what `up` would do, and when
    Plan(PlanArgs),
    /// Show what stands, what is missing or has drifted, and how it is doing
    Status(StatusArgs),
    /// Remove everything that the stack owns
    Teardown(TeardownArgs),
    /// Check credentials, permissions, quotas, network and binaries: what would stop `up`
    Doctor(DoctorArgs),
    /// Upload new handler binaries, and nothing else
    Deploy(DeployArgs),
    /// Save unsaved changes to DynamoDB now
    Save(SaveArgs),
    /// Look at the connected clients
    #[command(subcommand)]
    Clients(ClientsCommand),
    /// Get the picture as a file
    #[command(subcommand)]
    Canvas(CanvasCommand),
    /// Run the local cloud: MiniStack and Redis on this machine
    #[command(subcommand)]
    Local(LocalCommand),
}

/// `placectl init`
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// File to write
    #[arg(default_value = place_config::load::DEFAULT_FILE)]
    pub(crate) file: PathBuf,
}

/// `placectl up`
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct UpArgs {
    /// Take over resources that have the stack's names but not its tag
    #[arg(long)]
    pub(crate) adopt: bool,
    /// Re-route default subnets although other people's network interfaces are in them
    #[arg(long)]
    pub(crate) allow_shared_vpc: bool,
    /// Replace what can't be changed in place; a cache is saved and exported first, a table's rows are lost
    #[arg(long)]
    pub(crate) replace: bool,
    /// Enlarge the canvas to the size in place.toml; what is painted stays where it is
    #[arg(long)]
    pub(crate) resize: bool,
    /// Replace a cache without saving and exporting what it holds
    #[arg(long, requires = "replace")]
    pub(crate) no_export: bool,
    /// Wait while somebody else works on the stack
    #[arg(long)]
    pub(crate) wait: bool,
}

/// `placectl deploy`
#[derive(Debug, Args)]
pub(crate) struct DeployArgs {
    /// Wait while somebody else works on the stack
    #[arg(long)]
    pub(crate) wait: bool,
}

/// `placectl plan`
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Show when each part would happen and what the whole time hangs on, at AWS's usual pace
    #[arg(long)]
    pub(crate) timing: bool,
    /// Exit with 4 when there is anything to do
    #[arg(long)]
    pub(crate) check: bool,
}

/// `placectl status`
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Exit with 4 when anything is missing or different
    #[arg(long)]
    pub(crate) check: bool,
}

/// `placectl doctor`
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Print the IAM policy that an operator of this stack needs, or a part of it, and check nothing
    #[arg(
        long,
        value_name = "PART",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "all"
    )]
    pub(crate) print_policy: Option<PolicyPart>,
}

/// `placectl teardown`
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct TeardownArgs {
    /// Don't ask for the stack's name
    #[arg(long)]
    pub(crate) yes: bool,
    /// Leave the tables
    #[arg(long)]
    pub(crate) keep_data: bool,
    /// Remove what people painted without a last save and export
    #[arg(long, conflicts_with = "export")]
    pub(crate) no_export: bool,
    /// File for the last picture [default: <stack>-<time>.png]
    #[arg(long, value_name = "FILE")]
    pub(crate) export: Option<PathBuf>,
    /// Wait while somebody else works on the stack
    #[arg(long)]
    pub(crate) wait: bool,
}

/// `placectl save`
#[derive(Debug, Args)]
pub(crate) struct SaveArgs {
    /// Write every pixel of the canvas, not only the changed ones
    #[arg(long)]
    pub(crate) full: bool,
}

/// `placectl clients`
#[derive(Debug, Subcommand)]
pub(crate) enum ClientsCommand {
    /// List them
    List,
}

/// `placectl canvas`
#[derive(Debug, Subcommand)]
pub(crate) enum CanvasCommand {
    /// Write the picture to a PNG file
    Export(ExportArgs),
    /// Write the picture to a PNG file named after its stack and position
    Snapshot(SnapshotArgs),
}

/// `placectl canvas export`
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// File to write
    pub(crate) file: PathBuf,
    /// Where the picture comes from
    #[arg(long, value_enum, default_value_t = Source::Redis)]
    pub(crate) from: Source,
}

/// `placectl canvas snapshot`
#[derive(Debug, Args)]
pub(crate) struct SnapshotArgs {
    /// Directory to write to
    #[arg(default_value = ".")]
    pub(crate) directory: PathBuf,
}

/// Where a picture comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    /// The live canvas in Redis, through the admin function
    Redis,
    /// The saved pixels in DynamoDB
    Tables,
}

/// `placectl local`
#[derive(Debug, Subcommand)]
pub(crate) enum LocalCommand {
    /// Start it, unless it runs
    Start,
    /// End it and everything on it
    Stop,
    /// Say how it is
    Status,
    /// Print its logs
    Logs(LogsArgs),
}

/// `placectl local logs`
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// Redis's log instead of the emulator's
    #[arg(long)]
    pub(crate) redis: bool,
    /// Go on with what comes
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Lines from the end [default: all]
    #[arg(long, value_name = "LINES")]
    pub(crate) tail: Option<usize>,
}
