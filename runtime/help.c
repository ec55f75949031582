/* SPDX-License-Identifier: Apache-2.0 */
/* Help and version texts. */
#include "config.h"
#include "runtime/help.h"

#include <seccomp.h>

#include "runtime/version.h"

void version_print(FILE *out)
{
	const struct scmp_version *seccomp = seccomp_version();

	fprintf(out, "moat version %s\ncommit: %s\nspec: %s\n", PACKAGE_VERSION, MOAT_COMMIT,
		MOAT_SPEC_VERSION);
	if (seccomp)
		fprintf(out, "libseccomp: %u.%u.%u\n", seccomp->major, seccomp->minor,
			seccomp->micro);
}

void help_print(FILE *out)
{
	fputs("NAME:\n"
	      "   moat - Open Container Initiative runtime with a kernel of its own\n\n"
	      "moat runs containers as runc does, from the same bundles and with the same commands,\n"
	      "but the workload talks to a Linux kernel in user space, not to the host's.\n\n"
	      "To start a new instance of a container:\n\n"
	      "    # moat run [ -b bundle ] <container-id>\n\n"
	      "USAGE:\n"
	      "   moat [global options] command [command options] [arguments...]\n\n"
	      "VERSION:\n   " PACKAGE_VERSION "\n\nCOMMANDS:\n",
	      out);
	for (size_t i = 0; i < command_count; i++) {
		if (!commands[i]->hidden)
			fprintf(out, "   %-13s  %s\n", commands[i]->name, commands[i]->summary);
	}
	fputs("   help, h        Shows a list of commands or help for one command\n\n"
	      "GLOBAL OPTIONS:\n",
	      out);
	options_print(&globals_table, out);
}

void help_print_command(const struct command *command, FILE *out)
{
	fprintf(out, "NAME:\n   moat %s - %s\n\nUSAGE:\n   moat %s%s%s%s\n", command->name,
		command->summary, command->name,
		command->options.count ? " [command options]" : "", *command->usage ? " " : "",
		command->usage);
	if (command->description)
		fprintf(out, "\nDESCRIPTION:\n%s\n", command->description);
	if (command->options.count) {
		fputs("\nOPTIONS:\n", out);
		options_print(&command->options, out);
	}
}
