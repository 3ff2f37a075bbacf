/** From the bytes of a command to the next state. */
@NullMarked
package registry.server.fsm;

import org.jspecify.annotations.NullMarked;
