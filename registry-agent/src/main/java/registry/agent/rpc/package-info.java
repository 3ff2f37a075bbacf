/** How an agent that is no server reaches those that are. */
@NullMarked
package registry.agent.rpc;

import org.jspecify.annotations.NullMarked;
