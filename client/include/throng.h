/* The native client of a Throng server, for every language that can call C.
 *
 * Generated from client/c/src; do not edit. To regenerate: THRONG_UPDATE_DOCS=1 cargo test -p throng-client-c --test header
 *
 * A client is a number: a handle that is stale, made up or 0 is answered with THRONG_STATUS_UNKNOWN_HANDLE.
 * Memory is the caller's: calls write into what they are handed, nothing is to be freed, texts that are returned live for ever.
 * Any thread may make any call. Calls for the same client wait for each other; those for different clients do not.
 * A null pointer where none may be is answered with THRONG_STATUS_NULL_POINTER. No call aborts the program.
 */

#ifndef THRONG_H
#define THRONG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/*
 How a call ended.
 */
typedef enum ThrongStatus {
  /*
   It did what it says.
   */
  THRONG_STATUS_OK = 0,
  /*
   There is nothing: no further event, no such character, no such name.
   */
  THRONG_STATUS_NOTHING = 1,
  /*
   A pointer is null that may not be.
   */
  THRONG_STATUS_NULL_POINTER = 2,
  /*
   A text is not UTF-8.
   */
  THRONG_STATUS_BAD_TEXT = 3,
  /*
   There is no client of this handle, or no longer.
   */
  THRONG_STATUS_UNKNOWN_HANDLE = 4,
  /*
   An address is not IP:PORT, or cannot be reached without a token of its login service.
   */
  THRONG_STATUS_BAD_ADDRESS = 5,
  /*
   A token is not one.
   */
  THRONG_STATUS_BAD_TOKEN = 6,
  /*
   The world's files cannot be read, or have mistakes; `throng check` tells which.
   */
  THRONG_STATUS_BAD_WORLD = 7,
  /*
   The operating system gives no socket.
   */
  THRONG_STATUS_NO_SOCKET = 8,
  /*
   The client is not in the world, or not any more.
   */
  THRONG_STATUS_NOT_PLAYING = 9,
  /*
   The buffer is too small; the length that is needed was written.
   */
  THRONG_STATUS_TOO_SMALL = 10,
  /*
   The message is too long, or too many are under way.
   */
  THRONG_STATUS_NOT_SENT = 11,
  /*
   A number is not finite.
   */
  THRONG_STATUS_BAD_NUMBER = 12,
  /*
   A fault of the library; the client was closed.
   */
  THRONG_STATUS_INTERNAL = 13,
} ThrongStatus;

/*
 How far a client has come.
 */
typedef enum ThrongState {
  /*
   It is being connected.
   */
  THRONG_STATE_CONNECTING = 0,
  /*
   It is in the world.
   */
  THRONG_STATE_PLAYING = 1,
  /*
   It is over; `throng_close_reason` tells why, and `throng_reconnect` may help.
   */
  THRONG_STATE_CLOSED = 2,
} ThrongState;

/*
 What has happened.
 */
typedef enum ThrongEventKind {
  /*
   The own character has used an ability, as it was predicted: to be shown at once. `target` is whom a shot meets as seen here.
   */
  THRONG_EVENT_KIND_USED = 0,
  /*
   `by` has hit `target` with an ability, which changed its health by `change`.
   */
  THRONG_EVENT_KIND_HIT = 1,
  /*
   `target` has died by `by`.
   */
  THRONG_EVENT_KIND_DIED = 2,
  /*
   The own wish to use an ability was refused; `reason` is the place of the reason in docs/protocol.md.
   */
  THRONG_EVENT_KIND_REFUSED = 3,
  /*
   The own shot has met nobody; `reason` likewise.
   */
  THRONG_EVENT_KIND_MISSED = 4,
  /*
   `target` has come into view.
   */
  THRONG_EVENT_KIND_ENTERED = 5,
  /*
   `target` has gone out of view.
   */
  THRONG_EVENT_KIND_LEFT = 6,
  /*
   `by`, somebody else in view, has used an ability. Handed out when the others are shown as they were then: to be shown at once.
   */
  THRONG_EVENT_KIND_OTHER_USED = 7,
} ThrongEventKind;

/*
 What a bad link is to do to datagrams, each way; all 0 for nothing.
 */
typedef struct ThrongLink {
  /*
   Delay, in milliseconds.
   */
  float one_way_ms;
  /*
   Uniform addition to or subtraction from the delay, in milliseconds.
   */
  float jitter_ms;
  /*
   Share that never arrives, in percent.
   */
  float loss_percent;
} ThrongLink;

/*
 What a player wishes, until the next call.
 */
typedef struct ThrongInput {
  /*
   Wanted motion to the east and to the south; a length of 1 is full speed.
   */
  float move_x;
  /*
   See `move_x`.
   */
  float move_z;
  /*
   Facing, in radians, clockwise from north (-z).
   */
  float yaw_rad;
  /*
   Whether it runs: 0 or 1.
   */
  uint8_t runs;
  /*
   Whether it jumps when it stands.
   */
  uint8_t jumps;
} ThrongInput;

/*
 Somebody, where it is to be shown now.
 */
typedef struct ThrongCharacter {
  /*
   Who.
   */
  uint32_t net_id;
  /*
   Whether a player is behind it.
   */
  uint8_t is_player;
  /*
   What it does: 0 stands, 1 walks, 2 runs, 3 is in the air.
   */
  uint8_t locomotion;
  /*
   Its archetype: 0 for a person's, 1 for a bot's that is as people are, and from 2 on those of the world file, in their order. See `throng_archetype`.
   */
  uint8_t archetype;
  /*
   Its feet: x (east), y (up), z (south), in metres.
   */
  float position_m[3];
  /*
   Facing, in radians, clockwise from north.
   */
  float yaw_rad;
} ThrongCharacter;

/*
 What hinders the own character.
 */
typedef struct ThrongHindrance {
  /*
   Whether it is dead: 0 or 1.
   */
  uint8_t is_dead;
  /*
   By how much it is slower, in percent, and for how long yet, in seconds.
   */
  uint8_t slow_percent;
  /*
   The ability that it casts, by its number; 0 for none.
   */
  uint8_t cast_ability;
  /*
   See `slow_percent`.
   */
  float slow_s;
  /*
   In how many seconds that happens.
   */
  float cast_s;
} ThrongHindrance;

/*
 How large the characters of an archetype are: what shots meet, and what should be drawn.
 */
typedef struct ThrongArchetype {
  /*
   Radius of the body, an upright capsule, in metres.
   */
  float radius_m;
  /*
   Height from the feet to the top of the head, in metres.
   */
  float height_m;
} ThrongArchetype;

/*
 An event. What its kind does not speak of is 0.
 */
typedef struct ThrongEvent {
  /*
   What.
   */
  enum ThrongEventKind kind;
  /*
   In which tick.
   */
  uint32_t tick;
  /*
   By whom.
   */
  uint32_t by;
  /*
   Whom; 0 for nobody.
   */
  uint32_t target;
  /*
   With which ability, by its number.
   */
  uint8_t ability;
  /*
   Why.
   */
  uint8_t reason;
  /*
   By how much its health changed.
   */
  float change;
  /*
   From where the ability was used: x, y, z, in metres.
   */
  float from_m[3];
  /*
   Where to: of length 1.
   */
  float direction[3];
} ThrongEvent;

/*
 What a client has seen so far.
 */
typedef struct ThrongStatistics {
  /*
   Snapshots received.
   */
  uint64_t snapshots;
  /*
   Updates of others.
   */
  uint64_t updates;
  /*
   Datagrams and messages that could not be understood.
   */
  uint64_t malformed;
  /*
   UDP payload received and sent, in bytes.
   */
  uint64_t bytes_in;
  /*
   See `bytes_in`.
   */
  uint64_t bytes_out;
  /*
   From an input to the first snapshot that shows it applied, in milliseconds: the mean of the last ones, 0 before any.
   */
  float echo_ms;
  /*
   By how much the own position was last predicted wrong, in metres.
   */
  float prediction_error_m;
} ThrongStatistics;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 The version of these calls: the same number promises the same calls and layouts.
 */
uint32_t throng_version(void);

/*
 What a `ThrongStatus` means, in English. Lives for ever.
 */
const char *throng_status_text(uint32_t status);

/*
 Connects to a server that the same user runs on this computer without naming a key, as the player `client_id`.

 `server` is IP:PORT, `name` the player's name, `world_folder` the folder of the world's files, or null for the world that is built in; `link` a bad
 link to play over, or null. Texts end with a zero. The handle is written to `client`; connecting goes on within `throng_update`.

 # Safety
 Each pointer is null or points to what it says.
 */
enum ThrongStatus throng_connect_local(const char *server,
                                       uint64_t client_id,
                                       const char *name,
                                       const char *world_folder,
                                       const struct ThrongLink *link,
                                       uint64_t *client);

/*
 As `throng_connect_local`, with a token that a login service has made: 2,048 bytes.

 # Safety
 Each pointer is null or points to what it says; `token` to as many bytes as `token_bytes` says.
 */
enum ThrongStatus throng_connect(const uint8_t *token,
                                 size_t token_bytes,
                                 const char *name,
                                 const char *world_folder,
                                 const struct ThrongLink *link,
                                 uint64_t *client);

/*
 Goes on over another connection, when one broke or the player's address has changed, with a newer token of the same session.

 # Safety
 `token` is null or points to as many bytes as `token_bytes` says.
 */
enum ThrongStatus throng_reconnect(uint64_t client,
                                   const uint8_t *token,
                                   size_t token_bytes);

/*
 The same for a client of `throng_connect_local`.

 # Safety
 `server` is null or points to a text that ends with a zero.
 */
enum ThrongStatus throng_reconnect_local(uint64_t client, const char *server, uint64_t client_id);

/*
 Leaves the world, if the client is in it, and gives up the handle.
 */
enum ThrongStatus throng_close(uint64_t client);

/*
 Takes in what has arrived, makes the inputs that are due, and sends them. To be called once per frame.
 */
enum ThrongStatus throng_update(uint64_t client);

/*
 How far a client has come.

 # Safety
 `state` is null or points to one.
 */
enum ThrongStatus throng_state(uint64_t client, enum ThrongState *state);

/*
 Why a client was closed, as a text with a zero at its end, into a buffer of so many bytes. The length that it needs, zero included, is written to
 `needed`, if that is not null.

 # Safety
 Each pointer is null or points to what it says.
 */
enum ThrongStatus throng_close_reason(uint64_t client,
                                      char *buffer,
                                      size_t buffer_bytes,
                                      size_t *needed);

/*
 What the player wishes from now on, in every tick until the next call.

 # Safety
 `input` is null or points to one.
 */
enum ThrongStatus throng_set_input(uint64_t client, const struct ThrongInput *input);

/*
 Wishes to use an ability in the next tick, aimed so: in radians, clockwise from north, and upward. It is judged by what is shown at this call: call it in
 the frame in which the player pulls the trigger.
 */
enum ThrongStatus throng_use_ability(uint64_t client,
                                     uint8_t ability,
                                     float yaw_rad,
                                     float pitch_rad);

/*
 The number of an ability, by its name.

 # Safety
 `name` is null or points to a text that ends with a zero, `number` is null or points to one.
 */
enum ThrongStatus throng_ability(uint64_t client, const char *name, uint8_t *number);

/*
 The own character, as it is to be shown now.

 # Safety
 `own` is null or points to one.
 */
enum ThrongStatus throng_own(uint64_t client, struct ThrongCharacter *own);

/*
 What hinders the own character, as it is predicted.

 # Safety
 `hindrance` is null or points to one.
 */
enum ThrongStatus throng_hindrance(uint64_t client, struct ThrongHindrance *hindrance);

/*
 In how many seconds an ability can be used again; 0 for at once, as far as its cooldown goes.

 # Safety
 `seconds` is null or points to one.
 */
enum ThrongStatus throng_cooldown(uint64_t client, uint8_t ability, float *seconds);

/*
 The hour of the world in the moment in which the others are shown, from 0 to less than 24. `THRONG_STATUS_NOTHING` before the server has told it.

 # Safety
 `hour` is null or points to one.
 */
enum ThrongStatus throng_hour(uint64_t client,
                              float *hour);

/*
 Whether an event of the world is on, by its name; false for one that there is not.

 # Safety
 `name` is null or points to a text that ends with a zero, `is_on` is null or points to one.
 */
enum ThrongStatus throng_event_is_on(uint64_t client, const char *name, bool *is_on);

/*
 Whether a feature of the world is on for this client, by its name, in those of its zones if it has any; false for one that there is not.

 # Safety
 `name` is null or points to a text that ends with a zero, `is_on` is null or points to one.
 */
enum ThrongStatus throng_feature_is_on(uint64_t client,
                                       const char *name,
                                       bool *is_on);

/*
 The others, as they are to be shown now: as many as there is room for, by rising `net_id`. How many there are is written to `count`.

 # Safety
 `characters` is null or points to room for `capacity` of them, `count` is null or points to one.
 */
enum ThrongStatus throng_characters(uint64_t client,
                                    struct ThrongCharacter *characters,
                                    size_t capacity,
                                    size_t *count);

/*
 One of the others.

 # Safety
 `character` is null or points to one.
 */
enum ThrongStatus throng_character(uint64_t client, uint32_t net_id, struct ThrongCharacter *character);

/*
 What the characters of an archetype have in common, by its number.

 # Safety
 `archetype` is null or points to one.
 */
enum ThrongStatus throng_archetype(uint64_t client, uint8_t number, struct ThrongArchetype *archetype);

/*
 What the world file calls an archetype, as `throng_close_reason` gives texts.

 # Safety
 `buffer` is null or has room for `buffer_bytes` bytes; `needed` is null or points to one.
 */
enum ThrongStatus throng_archetype_name(uint64_t client,
                                        uint8_t number,
                                        char *buffer,
                                        size_t buffer_bytes,
                                        size_t *needed);

/*
 What a character has: a number as it is, a flag as 0 or 1, a choice as its place. `net_id` may be the own: what that has used since the server told it
 is not paid yet.

 # Safety
 `name` is null or points to a text that ends with a zero, `value` is null or points to one.
 */
enum ThrongStatus throng_attribute(uint64_t client,
                                   uint32_t net_id,
                                   const char *name,
                                   float *value);

/*
 The next thing that has happened; `THRONG_STATUS_NOTHING` when there is none.

 # Safety
 `event` is null or points to one.
 */
enum ThrongStatus throng_next_event(uint64_t client, struct ThrongEvent *event);

/*
 Sends a message of the game's own, of up to 999 bytes.

 # Safety
 `message` is null or points to as many bytes as `message_bytes` says.
 */
enum ThrongStatus throng_send_message(uint64_t client, const uint8_t *message, size_t message_bytes);

/*
 The next message of the game's own, into a buffer of at least 999 bytes, the longest that there is; with a smaller one nothing is taken. Its length is
 written to `message_bytes`.

 # Safety
 Each pointer is null or points to what it says.
 */
enum ThrongStatus throng_next_message(uint64_t client,
                                      uint8_t *buffer,
                                      size_t buffer_bytes,
                                      size_t *message_bytes);

/*
 What a client has seen so far.

 # Safety
 `statistics` is null or points to one.
 */
enum ThrongStatus throng_statistics(uint64_t client, struct ThrongStatistics *statistics);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* THRONG_H */
