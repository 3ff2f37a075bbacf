/** Instances joined with their checks. */
@NullMarked
package registry.server.health;

import org.jspecify.annotations.NullMarked;
