/** From files and flags to records. */
@NullMarked
package registry.agent.config;

import org.jspecify.annotations.NullMarked;
