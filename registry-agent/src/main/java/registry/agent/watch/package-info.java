/** Watches: a child process or an HTTP call for each change. */
@NullMarked
package registry.agent.watch;

import org.jspecify.annotations.NullMarked;
