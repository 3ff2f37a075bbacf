/** Where this node is, found from the round trips to others. */
@NullMarked
package registry.agent.coordinate;

import org.jspecify.annotations.NullMarked;
