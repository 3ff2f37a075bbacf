/** Who is in the cluster, and who is alive. */
@NullMarked
package registry.agent.gossip;

import org.jspecify.annotations.NullMarked;
