/** The services and checks that this node owns, and how they reach the catalogue. */
@NullMarked
package registry.agent.local;

import org.jspecify.annotations.NullMarked;
