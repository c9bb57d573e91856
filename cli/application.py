"""Puts the commands together, and turns every failure into lines on stderr and an exit code."""

from typing import Any

import typer
from typer.core import TyperGroup

from cli import access, calls, dhcp, directory, enrollment, jobs, offline, orders, organisation, records
from cli.devices import devices
from cli.failures import Failure
from cli.screen import print_failure


class _Commands(TyperGroup):
    """The outermost loop: a Failure ends here, with 1 (refused, unreachable) or 2 (bad input)."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Failure as failure:
            print_failure(failure)
            raise typer.Exit(failure.exit_code) from failure


app = typer.Typer(
    cls=_Commands,
    name="sipgw",
    help="The command line of the SIP Gateway. SIPGW_URL names the gateway, SIPGW_TOKEN or `login` gives the token.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its tracebacks print local variables, tokens among them
)
app.add_typer(devices, name="devices")
devices.command("otp")(enrollment.issue_otp)
devices.command("restart")(orders.restart_device)
devices.command("resync")(orders.resync_device)
devices.command("sign-in")(orders.sign_in_device)
devices.command("sign-out")(orders.sign_out_device)
devices.command("history")(records.show_history)
devices.command("report")(records.save_report)
devices.command("files")(records.show_files)
devices.command("uploads")(records.show_uploads)
app.add_typer(records.commands, name="commands")
app.add_typer(jobs.jobs, name="jobs")
app.add_typer(directory.policies, name="policies")
app.add_typer(directory.users, name="users")
directory.users.command("calls")(calls.set_call_settings)
directory.users.command("messages")(calls.set_message_waiting)
app.add_typer(organisation.tenant, name="tenant")
app.command("sync")(organisation.sync_policies)
app.command("audit")(records.show_audit)
app.command("network")(organisation.show_network)
app.command("compatible")(organisation.list_compatible)
app.command("dhcp")(dhcp.print_dhcp)
app.command("render")(offline.render_device_files)
app.command("identify")(offline.identify_device)
app.command("login")(access.sign_in_administrator)
app.command("token")(access.print_token)
