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

/// Set up, run and remove an r/place canvas on AWS, or on this machine with --local
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
    /// Configuration file [default: place.toml, if the file exists]
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
    /// Host beyond this machine that `[endpoints]` of the configuration file may lead to
    #[arg(
        long,
        global = true,
        value_name = "HOST",
        env = crate::endpoints::VARIABLE,
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub(crate) allow_endpoint: Vec<String>,
    /// Format of the results
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
    /// Print more: every retry, and the number of calls
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// Print only results and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Text for people
    Text,
    /// JSON on stdout, everything else on stderr
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write an annotated place.toml with every key and its default
    Init(InitArgs),
    /// Create or repair the stack; resumes interrupted runs
    Up(UpArgs),
    /// Show what `up` would do
    Plan(PlanArgs),
    /// Show which resources exist, are missing or have drifted, and the health of the canvas
    Status(StatusArgs),
    /// Remove everything that the stack owns
    Teardown(TeardownArgs),
    /// Check what could stop `up`: credentials, permissions, quotas, network, binaries
    Doctor(DoctorArgs),
    /// Upload new function binaries; changes nothing else
    Deploy(DeployArgs),
    /// Save unsaved changes to DynamoDB now
    Save(SaveArgs),
    /// Show the connected clients
    #[command(subcommand)]
    Clients(ClientsCommand),
    /// Export the picture as a PNG file
    #[command(subcommand)]
    Canvas(CanvasCommand),
    /// Open the page to paint on in the browser, and print its address
    Open(OpenArgs),
    /// Write the page as files, for a host of your own
    #[command(subcommand)]
    Page(PageCommand),
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
    /// Take over resources that have the stack's names but not the stack's tags
    #[arg(long)]
    pub(crate) adopt: bool,
    /// Re-route default subnets that also hold other owners' network interfaces
    #[arg(long)]
    pub(crate) allow_shared_vpc: bool,
    /// Replace resources that can't be changed in place; saves and exports the canvas first, but a replaced table loses its rows
    #[arg(long)]
    pub(crate) replace: bool,
    /// Enlarge the canvas to the size in place.toml; painted pixels stay in place
    #[arg(long)]
    pub(crate) resize: bool,
    /// Replace a cache without saving and exporting the canvas first
    #[arg(long, requires = "replace")]
    pub(crate) no_export: bool,
    /// Wait until no other operator works on the stack
    #[arg(long)]
    pub(crate) wait: bool,
}

/// `placectl deploy`
#[derive(Debug, Args)]
pub(crate) struct DeployArgs {
    /// Wait until no other operator works on the stack
    #[arg(long)]
    pub(crate) wait: bool,
}

/// `placectl plan`
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Show a timeline at AWS's usual pace, and which items determine the total time
    #[arg(long)]
    pub(crate) timing: bool,
    /// Exit with code 4 if there is anything to do
    #[arg(long)]
    pub(crate) check: bool,
}

/// `placectl status`
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Exit with code 4 if a resource is missing or has drifted
    #[arg(long)]
    pub(crate) check: bool,
}

/// `placectl doctor`
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Print the IAM policy that an operator needs, or one part of the policy; runs no checks
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
    /// Don't ask for confirmation
    #[arg(long)]
    pub(crate) yes: bool,
    /// Keep the DynamoDB tables
    #[arg(long)]
    pub(crate) keep_data: bool,
    /// Skip the last save and export of the canvas
    #[arg(long, conflicts_with = "export")]
    pub(crate) no_export: bool,
    /// File for the last picture [default: <stack>-<time>.png]
    #[arg(long, value_name = "FILE")]
    pub(crate) export: Option<PathBuf>,
    /// Wait until no other operator works on the stack
    #[arg(long)]
    pub(crate) wait: bool,
}

/// `placectl save`
#[derive(Debug, Args)]
pub(crate) struct SaveArgs {
    /// Write every pixel of the canvas, not only the changed pixels
    #[arg(long)]
    pub(crate) full: bool,
}

/// `placectl clients`
#[derive(Debug, Subcommand)]
pub(crate) enum ClientsCommand {
    /// List the connected clients
    List,
}

/// `placectl canvas`
#[derive(Debug, Subcommand)]
pub(crate) enum CanvasCommand {
    /// Write the picture to a PNG file
    Export(ExportArgs),
    /// Write the picture to <stack>-<position>.png
    Snapshot(SnapshotArgs),
}

/// `placectl canvas export`
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// File to write, replaced if the file is there; `-` writes the PNG to standard output
    pub(crate) file: PathBuf,
    /// Source of the picture
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

/// `placectl open`
#[derive(Debug, Args)]
pub(crate) struct OpenArgs {
    /// Only print the address
    #[arg(long)]
    pub(crate) print: bool,
}

/// `placectl page`
#[derive(Debug, Subcommand)]
pub(crate) enum PageCommand {
    /// Write the page's files to a directory; they get the canvas from the stack's page function
    Build(PageBuildArgs),
}

/// `placectl page build`
#[derive(Debug, Args)]
pub(crate) struct PageBuildArgs {
    /// Directory to write to, made if it is missing; files of the same names are replaced
    pub(crate) directory: PathBuf,
}

/// `placectl local`
#[derive(Debug, Subcommand)]
pub(crate) enum LocalCommand {
    /// Start the local cloud, unless the local cloud runs
    Start,
    /// Stop the local cloud; deletes everything on it
    Stop,
    /// Show its status, and how other tools get its key
    Status,
    /// Print the log of MiniStack or Redis
    Logs(LogsArgs),
}

/// `placectl local logs`
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// Print Redis's log instead of MiniStack's
    #[arg(long)]
    pub(crate) redis: bool,
    /// Keep printing new lines
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Number of lines from the end [default: all]
    #[arg(long, value_name = "LINES")]
    pub(crate) tail: Option<usize>,
}
