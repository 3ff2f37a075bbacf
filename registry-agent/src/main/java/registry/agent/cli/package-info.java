/** The command line, Consul's verb for verb. */
@NullMarked
package registry.agent.cli;

import org.jspecify.annotations.NullMarked;
