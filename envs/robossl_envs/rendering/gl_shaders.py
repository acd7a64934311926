"""The programs of the batched renderer, and the light model that it shares with TinyRenderer.

For a surface of colour c (times its texture) and unit normal n, under a light of colour g from the unit direction l:

    c * (ambient + g * (diffuse * max(0, n.l) + specular * max(0, r_z)^2)),    r = 2 (n.l) n - l

clipped at 1. The highlight depends on how far the reflected ray r points up and not on the camera: that is
TinyRenderer's model, and both renderers are to give one picture for one look. Where the look asks for shadows, what the
sun does not reach keeps 0.8 of its diffuse and specular part, as with TinyRenderer. The robot is shaded flat, by
triangle; bodies by vertex, and their textures are sampled without filter.
"""

LAYER_EXTENSIONS = ("GL_ARB_shader_viewport_layer_array", "GL_AMD_vertex_shader_layer")
"""One of them lets a vertex shader choose the layer that its triangle goes to."""
TEXTURES, SUN_DEPTHS = 0, 1
"""Units that the shaders read from."""

VERTEX = """
#version 450
in vec3 vertex;
in vec3 normal;
FLAT out vec4 colour;
#ifdef ROBOT
in vec3 own_rgb;
#else
in vec2 place;
out vec3 texture_place;
#endif
in mat4 to_clip;
in vec4 light;    // direction in the part's frame; its height in the world
in vec4 up;       // the world's z axis in the part's frame; number of the view
in vec4 tint;     // rgb; layer of the texture
in vec4 diffuse;  // rgb; the ambient coefficient
in vec4 specular; // rgb; the part's number / 255
#ifdef SHADOW
in mat3x4 to_sun; // columns are the rows of a matrix: what the sun sees, -1 to 1, upside down
in float shade;   // part of the direct light that a shadow leaves
out vec4 sun_place;
FLAT out vec3 shaded;
#endif

void main() {
    gl_Position = to_clip * vec4(vertex, 1.0);
    gl_Layer = int(up.w);
    float facing = dot(normal, light.xyz);
    float glance = max(0.0, 2.0 * facing * dot(normal, up.xyz) - light.w);
    vec3 direct = diffuse.rgb * max(0.0, facing) + specular.rgb * glance * glance;
#ifdef ROBOT
    vec3 own = min(own_rgb * tint.rgb, 1.0);
#else
    vec3 own = tint.rgb;
    texture_place = vec3(place, tint.w);
#endif
    colour = vec4(own * (diffuse.w + direct), specular.w);
#ifdef SHADOW
    shaded = own * (diffuse.w + shade * direct);
    sun_place = vec4(vec4(vertex, 1.0) * to_sun, up.w);
#endif
}
"""

FRAGMENT = """
#version 450
FLAT in vec4 colour;
#ifndef ROBOT
layout(binding = TEXTURES) uniform sampler2DArray textures;
in vec3 texture_place;
#endif
#ifdef SHADOW
layout(binding = SUN_DEPTHS) uniform sampler2DArrayShadow sun_depths;
in vec4 sun_place;
FLAT in vec3 shaded;
#endif
out vec4 pixel;

void main() {
    vec3 rgb = colour.rgb;
#ifdef SHADOW
    if (max(abs(sun_place.x), abs(sun_place.y)) < 0.99) {  // elsewhere nothing stands that could cast a shadow
        vec3 place = 0.5 + 0.5 * sun_place.xyz;
        rgb = mix(shaded, rgb, texture(sun_depths, vec4(place.xy, sun_place.w, place.z)));
    }
#endif
#ifndef ROBOT
    rgb *= texture(textures, texture_place).rgb;
#endif
    pixel = vec4(rgb, colour.a);
}
"""


def sources(*, robot: bool, shadow: bool) -> dict[str, str]:
    """Return vertex and fragment shader, for the robot or for bodies, with or without shadows on them."""
    lines = ["#version 450", *(f"#extension {name} : enable" for name in LAYER_EXTENSIONS)]
    lines += [f"#define TEXTURES {TEXTURES}", f"#define SUN_DEPTHS {SUN_DEPTHS}"]
    lines.append(f"#define FLAT {'flat' if robot else ''}")
    lines += ["#define ROBOT"] * robot + ["#define SHADOW"] * shadow
    head = "\n".join(lines)
    return {
        "vertex_shader": VERTEX.replace("#version 450", head),
        "fragment_shader": FRAGMENT.replace("#version 450", head),
    }
