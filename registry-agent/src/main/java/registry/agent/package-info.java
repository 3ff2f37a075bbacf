/** What each node runs; wires all of it. */
@NullMarked
package registry.agent;

import org.jspecify.annotations.NullMarked;
