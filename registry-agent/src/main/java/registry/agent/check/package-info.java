/** Checks: when they run, what they say, what they said before. */
@NullMarked
package registry.agent.check;

import org.jspecify.annotations.NullMarked;
