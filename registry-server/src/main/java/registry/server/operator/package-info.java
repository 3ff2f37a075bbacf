/** What an operator sees and changes of the servers' own group: its voters, and autopilot. */
@NullMarked
package registry.server.operator;

import org.jspecify.annotations.NullMarked;
